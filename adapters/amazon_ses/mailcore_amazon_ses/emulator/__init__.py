"""Amazon SES, SNS and S3 on this machine, as far as mail needs them: made of AWS's documentation alone."""

from mailcore_amazon_ses.emulator._account import AccountProblem, SentMail
from mailcore_amazon_ses.emulator._service import AmazonSesEmulator

__all__ = ["AccountProblem", "AmazonSesEmulator", "SentMail"]
