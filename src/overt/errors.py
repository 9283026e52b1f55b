# SPDX-License-Identifier: Apache-2.0
"""The errors a caller may see, with Rekognition's codes and texts. Knows no HTTP.

Clients match on `code` and `text`, so both stay as AWS writes them; what really went wrong, and what to do,
goes into `detail`, which travels in the `x-overt-detail` response header and the command line's message.
"""

from __future__ import annotations


class WireError(Exception):
    """An error of the contract. Every subclass is one code; `status` is its HTTP status.

    Args: text: the message, AWS's words where they are known. detail: the cause in plain words, one line.
    """

    status = 400
    text = "Request has invalid parameters"

    def __init__(self, text: str | None = None, *, detail: str = "") -> None:
        self.text = text or type(self).text
        self.detail = detail
        super().__init__(self.text)

    @property
    def code(self) -> str:
        """The name on the wire, which is the name of the class."""
        return type(self).__name__


class InvalidParameterException(WireError):
    """A parameter is well formed but cannot be used."""


class AccessDeniedException(WireError):
    """The caller may not do this, or the server does not offer it."""

    text = "You are not authorized to perform this operation."


class InternalServerError(WireError):
    """Our fault. The text never carries the inner error."""

    status = 500
    text = "The server failed to complete the request. Try again."


class ThrottlingException(WireError):
    """Too many calls in flight."""

    text = "Slow down; sudden increase in rate of requests."


class ProvisionedThroughputExceededException(WireError):
    """The queue of pictures is full."""

    text = "Provisioned Rate exceeded."


class InvalidImageFormatException(WireError):
    """Not a JPEG or PNG, or one that cannot be decoded."""

    text = "Request has invalid image format"


class ImageTooLargeException(WireError):
    """Too many bytes or too many pixels."""

    text = "Image size is too large."


class VideoTooLargeException(WireError):
    """Too many bytes or too long a video."""

    text = "Video size is more than the maximum limit."


class InvalidS3ObjectException(WireError):
    """The object cannot be read."""

    text = "Unable to get object metadata from S3. Check object key, region and/or access permissions."


class InvalidPaginationTokenException(WireError):
    """NextToken is not one we gave out for this request, or it is too old."""

    text = "Invalid Pagination Token"


class ResourceNotFoundException(WireError):
    """No such collection, user or resource in the caller's account."""

    text = "The resource does not exist."


class ResourceAlreadyExistsException(WireError):
    """A resource of that name is there already."""

    text = "The resource already exists."


class ResourceInUseException(WireError):
    """A resource is not in the state that the call needs."""

    text = "The resource is in use."


class ConflictException(WireError):
    """A user with the same id exists or is being changed."""

    text = "The user exists already or is being changed."


class IdempotentParameterMismatchException(WireError):
    """A ClientRequestToken came again with other parameters."""

    text = "The ClientRequestToken you have supplied is already in use."


class LimitExceededException(WireError):
    """As many jobs are open as there may be."""

    text = "Too many open jobs."


class ServiceQuotaExceededException(WireError):
    """A size limit would be exceeded."""

    text = "A quota would be exceeded."


class ValidationException(WireError):
    """The request does not fit the operation's shape."""


class SerializationException(WireError):
    """The body is not JSON of the kind the operation takes."""

    text = "Could not parse the request body."


class UnknownOperationException(WireError):
    """No operation of that name."""

    text = "There is no operation of that name."


class MissingAuthenticationTokenException(WireError):
    """The request is not signed."""

    text = "Missing Authentication Token"


class IncompleteSignatureException(WireError):
    """The signature's parts are not all there."""

    text = "The request signature is not complete."


class UnrecognizedClientException(WireError):
    """No such access key, or it has expired or was revoked."""

    text = "The security token included in the request is invalid."


class InvalidSignatureException(WireError):
    """The signature does not fit the request, or its time is too far off."""

    text = (
        "The request signature we calculated does not match the signature you provided. "
        "Check your AWS Secret Access Key and signing method. Consult the service documentation for details."
    )
