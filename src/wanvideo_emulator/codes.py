"""The vendor's error codes with their HTTP status and their words.

Source: error-code page of Model Studio, read 2026-11-23. Where the page has several messages for one code,
the one a video task would meet is taken; messages with a placeholder keep `xxx` as the page prints it.
"""

from __future__ import annotations

INSPECTION_NOT_FOUND = "Failed to find the requested media resource during the data inspection process."
INSPECTION_UNREACHABLE = "Unable to download the media resource during the data inspection process."
INSPECTION_DENIED = (
    "Don't have authorization to access the media resource during the data inspection process."
)
NO_KEY = "No API-key provided."
INPUT_INAPPROPRIATE = "Input data may contain inappropriate content."
OUTPUT_INAPPROPRIATE = "Output data may contain inappropriate content."
BAD_IMAGE_URL = "The request URL is invalid, make sure the url is correct and is an image."
NOT_CANCELLABLE = "Failed to cancel the task, please confirm if the task is in PENDING status."
SYNC_REFUSED = "current user api does not support synchronous calls."
ASYNC_REFUSED = "Current user api does not support asynchronous calls."

CODES: dict[str, tuple[int, str]] = {
    "InvalidParameter": (400, "The size is not match xxxxxx"),
    "InvalidParameter.DataInspection": (400, INSPECTION_UNREACHABLE),
    "DataInspectionFailed": (400, OUTPUT_INAPPROPRIATE),
    "IPInfringementSuspect": (400, "Input data is suspected of being involved in IP infringement."),
    "InvalidURL": (400, "Required URL is missing or invalid, please check the request URL."),
    "InvalidURL.ConnectionRefused": (400, "Connection to xxx refused, please provide available URL."),
    "InvalidURL.Timeout": (400, "Download xxx timeout, please check network connection."),
    "InvalidImage.FileFormat": (400, "Invalid image type. Please ensure the uploaded file is a valid image."),
    "InvalidImageFormat": (400, "The input image is in invalid format."),
    "InvalidImageResolution": (400, "The input image resolution is too large or small."),
    "InvalidImage.ImageSize": (400, "The size of image is beyond limit."),
    "BadRequest.EmptyInput": (400, "Required input parameter missing from request."),
    "BadRequest.EmptyParameters": (400, 'Required parameter "parameters" missing from request.'),
    "BadRequest.EmptyModel": (400, 'Required parameter "model" missing from request.'),
    "BadRequest.IllegalInput": (400, "The input parameter requires json format."),
    "BadRequest.TooLarge": (400, "Payload Too Large."),
    "BadRequest.InputDownloadFailed": (400, "Failed to download the input file."),
    "Arrearage": (400, "Access denied, please make sure your account is in good standing."),
    "UnsupportedOperation": (400, NOT_CANCELLABLE),
    "InvalidApiKey": (401, "Invalid API-key provided."),
    "NOT AUTHORIZED": (
        401,
        (
            "Access denied: Either you are not authorized to access this workspace, "
            "or the workspace does not exist."
        ),
    ),
    "AccessDenied": (403, "Access denied."),
    "AccessDenied.Unpurchased": (
        403,
        "Access to model denied. Please make sure you are eligible for using the model.",
    ),
    "Model.AccessDenied": (403, "Model access denied."),
    "Workspace.AccessDenied": (403, "Workspace access denied."),
    "AllocationQuota.FreeTierOnly": (
        403,
        (
            "The free tier of the model has been exhausted. If you want to continue access the model on a "
            'paid basis, please disable the "use free tier only" mode in the management console.'
        ),
    ),
    "ModelNotFound": (404, "Model can not be found."),
    "WorkSpaceNotFound": (404, "WorkSpace can not be found."),
    "NotFound": (404, "Not found!"),
    "Conflict": (409, "Model instance xxx already exists, please specify a suffix."),
    "Throttling": (429, "Requests throttling triggered."),
    "Throttling.RateQuota": (429, "Requests rate limit exceeded, please try again later."),
    "Throttling.BurstRate": (
        429,
        (
            "Request rate increased too quickly. To ensure system stability, please adjust your client logic "
            "to scale requests more smoothly over time."
        ),
    ),
    "Throttling.AllocationQuota": (429, "Allocated quota exceeded, please increase your quota limit."),
    "CommodityNotPurchased": (429, "Commodity has not purchased yet."),
    "PrepaidBillOverdue": (429, "The prepaid bill is overdue."),
    "PostpaidBillOverdue": (429, "The postpaid bill is overdue."),
    "InternalError": (500, "An internal error has occured, try again later or contact service support."),
    "InternalError.Algo": (500, "inference internal error."),
    "InternalError.Upload": (500, "Failed to upload result."),
    "InternalError.FileUpload": (500, "oss upload error."),
    "InternalError.Timeout": (
        500,
        "An internal timeout error has occured during execution, try again later or contact service support.",
    ),
    "SystemError": (500, "An system error has occured, try again later."),
    "ModelServiceFailed": (500, "Failed to request model service."),
    "RequestTimeOut": (500, "Request timed out, try again later."),
    "RewriteFailed": (500, "Failed to rewrite content for prompt."),
    "ModelServingError": (
        503,
        (
            "Too many requests. Your requests are being throttled due to system capacity limits. "
            "Please try again later."
        ),
    ),
    "ModelUnavailable": (503, "Model is unavailable, try again later."),
}


class Refused(Exception):
    """One of the vendor's refusals: `status` (HTTP), `code`, `message`. Also the reason of a FAILED task."""

    def __init__(self, code: str, message: str | None = None) -> None:
        status, usual = CODES[code]
        super().__init__(f"{code}: {message or usual}")
        self.status = status
        self.code = code
        self.message = message or usual
