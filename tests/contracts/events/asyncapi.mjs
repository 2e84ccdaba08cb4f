// Has the AsyncAPI project's own parser read documents: one line of JSON for each; exit 1 where one is not valid.
import { createRequire } from "node:module";
import { readFileSync } from "node:fs";
import { resolve } from "node:path";
const [modules, ...files] = process.argv.slice(2);
const require = createRequire(`${modules}/`);
const { Parser } = require("@asyncapi/parser");
const version = require("@asyncapi/parser/package.json").version;
let invalid = 0;
for (const file of files) {
  const { document, diagnostics } = await new Parser().parse(readFileSync(file, "utf8"), { source: resolve(file) });
  const errors = diagnostics.filter((found) => found.severity === 0).map((found) => found.message);
  invalid += errors.length || document === undefined ? 1 : 0;
  const messages = document?.allMessages().all().length ?? 0;
  console.log(JSON.stringify({ file, parser: version, valid: document !== undefined, errors, messages }));
}
process.exit(invalid ? 1 : 0);
