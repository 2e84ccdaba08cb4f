"""From Fideslang's data categories to the statute's: Civ. Code 1798.140(v)(1) and (ae), 11 CCR 7024(d).

The longest prefix decides, so a map written for Fideslang alone gets an answer; a map may say otherwise.
"""

from services.fulfillment.datamap.additions import StatutoryCategory, WithheldKind

WORDS: dict[StatutoryCategory, str] = {
    "identifiers": "Identifiers (Civ. Code 1798.140(v)(1)(A))",
    "customer_records": "Customer records information (1798.140(v)(1)(B))",
    "protected_characteristics": "Characteristics of protected classifications (1798.140(v)(1)(C))",
    "commercial": "Commercial information (1798.140(v)(1)(D))",
    "biometric": "Biometric information (1798.140(v)(1)(E))",
    "internet_activity": "Internet or other electronic network activity (1798.140(v)(1)(F))",
    "geolocation": "Geolocation data (1798.140(v)(1)(G))",
    "sensory": "Audio, electronic, visual, thermal, olfactory or similar information (1798.140(v)(1)(H))",
    "professional": "Professional or employment-related information (1798.140(v)(1)(I))",
    "education": "Education information (1798.140(v)(1)(J))",
    "inferences": "Inferences drawn to create a profile (1798.140(v)(1)(K))",
    "sensitive": "Sensitive personal information (1798.140(v)(1)(L), (ae))",
}

_CATEGORY: dict[str, StatutoryCategory] = {
    "user": "customer_records",
    "user.account": "identifiers",
    "user.authorization": "sensitive",
    "user.behavior": "internet_activity",
    "user.behavior.purchase_history": "commercial",
    "user.biometric": "biometric",
    "user.contact": "identifiers",
    "user.content": "customer_records",
    "user.content.private": "sensitive",
    "user.content.self_image": "sensory",
    "user.criminal_history": "customer_records",
    "user.demographic": "protected_characteristics",
    "user.demographic.political_opinion": "inferences",
    "user.demographic.profile": "inferences",
    "user.demographic.race_ethnicity": "sensitive",
    "user.demographic.religious_belief": "sensitive",
    "user.demographic.sexual_orientation": "sensitive",
    "user.device": "identifiers",
    "user.financial": "customer_records",
    "user.financial.bank_account": "sensitive",
    "user.financial.credit_card": "sensitive",
    "user.government_id": "sensitive",
    "user.government_id.vehicle_registration": "customer_records",
    "user.health_and_medical": "sensitive",
    "user.job_title": "professional",
    "user.location": "geolocation",
    "user.location.precise": "sensitive",
    "user.name": "identifiers",
    "user.payment": "commercial",
    "user.privacy_preferences": "customer_records",
    "user.sensor": "sensory",
    "user.social": "identifiers",
    "user.telemetry": "internet_activity",
    "user.unique_id": "identifiers",
    "user.user_sensor": "sensory",
    "user.workplace": "professional",
}

_WITHHELD: dict[str, WithheldKind | None] = {
    "user.authorization": "account_password",
    "user.authorization.biometric": "biometric_data",
    "user.biometric": "biometric_data",
    "user.financial.bank_account": "financial_account_number",
    "user.financial.credit_card": "financial_account_number",
    "user.government_id": "government_id_number",
    "user.government_id.national_identification_number": "social_security_number",
    "user.government_id.vehicle_registration": None,
    "user.health_and_medical.insurance_beneficiary_id": "health_id_number",
    "user.health_and_medical.record_id": "health_id_number",
}


def statutory_category(data_categories: tuple[str, ...]) -> StatutoryCategory | None:
    """The statute's category of a column; the sensitive one wins where several fit."""
    found = [_CATEGORY[prefix] for each in data_categories if (prefix := _longest(each, _CATEGORY))]
    return "sensitive" if "sensitive" in found else next(iter(found), None)


def withheld_kind(data_categories: tuple[str, ...]) -> WithheldKind | None:
    """The 7024(d) kind that a column's category implies, if any."""
    found = (_WITHHELD[prefix] for each in data_categories if (prefix := _longest(each, _WITHHELD)))
    return next((kind for kind in found if kind), None)


def is_personal(data_categories: tuple[str, ...]) -> bool:
    return any(_longest(each, _CATEGORY) for each in data_categories)


def _longest(category: str, table: dict[str, StatutoryCategory] | dict[str, WithheldKind | None]) -> str:
    parts = category.split(".")
    prefixes = (".".join(parts[:length]) for length in range(len(parts), 0, -1))
    return next((prefix for prefix in prefixes if prefix in table), "")
