"""What goes wrong between an engine and us, on one line each."""

from __future__ import annotations

from lamina.model import LaminaError
from lamina.sources.engine.address import TIMEOUT, WITHOUT, Address
from lamina.sources.json_checks import quoted


def connection_error(error: BaseException, address: Address) -> LaminaError:
    """What went wrong between an engine and us, on one line.

    Args:
        error: whatever docker-py, requests, urllib3 or the system raised.
        address: the engine.
    """
    cause = _system_error(error)
    if isinstance(cause, PermissionError):
        return LaminaError(
            f"no permission to use {address}: add yourself to the docker group "
            f"(`sudo usermod -aG docker $USER`, then log in again) or use sudo; {WITHOUT}"
        )
    if isinstance(cause, (FileNotFoundError, ConnectionRefusedError)):
        why = "nothing is there" if isinstance(cause, FileNotFoundError) else "nobody answers"
        return LaminaError(
            f"no container engine at {address}: {why}; start it, or name another with DOCKER_HOST or --host; {WITHOUT}"
        )
    if isinstance(cause, TimeoutError) or "timed out" in str(error).lower():
        return LaminaError(f"the engine at {address} gave no answer within {TIMEOUT:.0f} seconds")
    said = (cause.strerror if cause is not None and cause.strerror else None) or str(error).partition("\n")[0]
    return LaminaError(f"the engine at {address} can't be used: {quoted(said) or type(error).__name__}")


def _system_error(error: BaseException) -> OSError | None:
    """The error of the system underneath the wrappings of urllib3, requests and docker-py."""
    from requests.exceptions import RequestException

    seen: list[BaseException] = [error]
    for current in seen:
        # A RequestException is an OSError by inheritance only: it has no errno of its own.
        if isinstance(current, OSError) and not isinstance(current, RequestException) and len(seen) < 100:
            return current
        inner = [current.__cause__, current.__context__, getattr(current, "reason", None), *current.args]
        seen += [e for e in inner if isinstance(e, BaseException) and not any(e is s for s in seen)]
    return None
