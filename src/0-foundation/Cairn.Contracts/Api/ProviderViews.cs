namespace Cairn.Contracts.Api;

/// <summary>POST /api/v1/providers: a provider outside whose models stand behind names of the project's.</summary>
public sealed record AddProviderRequest
{
    /// <summary>1 to 63 lower-case letters, digits and hyphens; new within the project.</summary>
    public required string Name { get; init; }

    /// <summary>Such as <c>https://api.example.com/v1</c>: <c>/chat/completions</c> is asked below it. TLS, but for loopback.</summary>
    public required string BaseUrl { get; init; }

    /// <summary><c>openai</c> (default) or <c>anthropic</c>.</summary>
    public string? Dialect { get; init; }

    /// <summary>The key that the provider asks for. Kept sealed, never returned; null sends none.</summary>
    public string? Credential { get; init; }

    /// <summary>1 to 100.</summary>
    public required IReadOnlyList<ProviderModelView> Models { get; init; }
}

/// <summary>One model of a provider's.</summary>
public sealed record ProviderModelView
{
    /// <summary>What clients call it by. Where an endpoint or another provider answers to it already, this one stands beside it.</summary>
    public required string Model { get; init; }

    /// <summary>The provider's own name for it; default the same.</summary>
    public string? UpstreamModel { get; init; }

    /// <summary>Dollars per million prompt tokens that users are charged; default 0.</summary>
    public decimal InputPrice { get; init; }

    /// <summary>Dollars per million prompt tokens that the provider had cached; null takes <see cref="InputPrice"/>.</summary>
    public decimal? CachedInputPrice { get; init; }

    /// <summary>Dollars per million output tokens that users are charged; default 0.</summary>
    public decimal OutputPrice { get; init; }

    /// <summary>Share of the requests beside others' weights, 1 to 1000; default 100, which is also an endpoint's.</summary>
    public int Weight { get; init; } = 100;

    /// <summary>Gets requests only when nobody else who stands behind the name can answer.</summary>
    public bool Fallback { get; init; }

    /// <summary>Prompt and output together, in tokens; 0 where unknown.</summary>
    public int ContextLength { get; init; }
}

/// <summary>GET /api/v1/providers. The credential is not among it.</summary>
public sealed record ProviderView
{
    public required Guid Id { get; init; }

    public required string Name { get; init; }

    public required string Project { get; init; }

    public required string BaseUrl { get; init; }

    public required string Dialect { get; init; }

    /// <summary>Whether a credential is kept.</summary>
    public required bool HasCredential { get; init; }

    public required IReadOnlyList<ProviderModelView> Models { get; init; }

    public DateTimeOffset CreatedAt { get; init; }

    public required string CreatedBy { get; init; }
}
