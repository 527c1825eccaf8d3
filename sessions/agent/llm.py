"""Which service speaks for an agent's model."""

from sessions.agent import scripts, showing
from sessions.agent.asking import Asking
from sessions.agent.protocol import LLMServiceProtocol
from sessions.agent.scripted import Scripted
from sessions.core import references
from sessions.models import Agent
from sessions.selectors import providers

showing.install()


def service_for(agent: Agent) -> LLMServiceProtocol:
    """
    The language model of an agent; reads rows, and does not ask the provider yet.

    The first of a provider takes seconds to import: call it in a thread.

    :raises LLMError: if its provider is not there, or has no key
    :raises SecretUnreadable: if the key was sealed with another secret key
    :raises ValidationFailed: for a reference that is none, or an unknown script
    """
    return service(agent.model)


def service(text: str) -> LLMServiceProtocol:
    """The language model that a reference names; see :func:`service_for`."""
    is_default = text == references.DEFAULT
    reference = providers.default() if is_default else references.read(text)
    if reference.provider == references.SCRIPTED:
        return Scripted(reference.model, scripts.find(reference.model))
    found = providers.access(reference.provider)
    from sessions.agent import adapter  # noqa: PLC0415 -- slow import

    return Asking(adapter.Adapter(found, reference.model))
