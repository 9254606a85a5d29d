"""What WhatsApp's error codes mean.

https://developers.facebook.com/documentation/business-messaging/whatsapp/support/error-codes (2026-05-15)
"""

from channelry.errors import AuthError, PermanentError, RecipientError, RetryableError, WindowClosedError
from channelry.model import RateScope
from channelry_meta import Refusals, rules

_HOUR = 3600.0

REFUSALS: Refusals = {
    # too fast: the app, the account, the number's throughput, one recipient, for having been reported as spam
    **rules(RetryableError, 4, retry_after=60, scope=RateScope.APP),
    **rules(RetryableError, 80007, 131064, 132069, retry_after=60, scope=RateScope.CONNECTION),
    **rules(RetryableError, 130429, retry_after=5, scope=RateScope.CONNECTION),
    **rules(RetryableError, 131056, retry_after=6, scope=RateScope.RECIPIENT),
    **rules(RetryableError, 131048, 133016, retry_after=_HOUR, scope=RateScope.CONNECTION),
    # passing troubles of Meta's, among them a linked file that could not be loaded and maintenance
    **rules(RetryableError, 1, 2, 131000, 131016, 131053, 135000),
    **rules(RetryableError, 131057, retry_after=60),
    **rules(WindowClosedError, 131047),
    # not on WhatsApp, or a block; opted out; withheld; in an experiment; no test number; no phone number
    **rules(RecipientError, 131026, 131050, 131049, 130472, 131030, 131062),
    **rules(AuthError, 0, 3, 10, 190, *range(200, 300), 368, 131005, 131031, 131042, 131045),
    **rules(PermanentError, 100, 131008, 131009, 131021, 131051, 131052, 132000, 132001, 132005, 132007),
    **rules(PermanentError, 132008, 132012, 132015, 132016, 132068),
}
