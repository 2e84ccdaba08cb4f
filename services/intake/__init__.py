"""The front desk: takes requests in from every channel and says everything that the requester is told."""
