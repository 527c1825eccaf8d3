"""What opens the providers of models."""

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict


class ModelKeys(BaseSettings):
    """What opens the providers of models, under the names that their own libraries read."""

    model_config = SettingsConfigDict(extra="ignore")

    openai_api_key: SecretStr = Field(default=SecretStr(""), description="Key of OpenAI.")
    openai_base_url: str = Field(default="", description="Address that speaks OpenAI's interface.")
    azure_openai_api_key: SecretStr = Field(
        default=SecretStr(""), description="Key of Azure OpenAI."
    )
    azure_openai_endpoint: str = Field(default="", description="https://NAME.openai.azure.com.")
    azure_openai_api_version: str = Field(
        default="2024-10-21", description="Version of Azure's interface."
    )
    anthropic_api_key: SecretStr = Field(default=SecretStr(""), description="Key of Anthropic.")
