using Cairn.Contracts.Ids;
using Cairn.Contracts.Units;

namespace Cairn.Market.Inference;

/// <summary>What one key used of one model at one target, and what that costs.</summary>
public sealed record InferenceUse
{
    public required ProjectId Project { get; init; }

    public required KeyId Key { get; init; }

    public required string Model { get; init; }

    /// <summary>Null where a provider outside answered.</summary>
    public EndpointId? Endpoint { get; init; }

    /// <summary>Null where an endpoint answered.</summary>
    public string? Provider { get; init; }

    public required long Requests { get; init; }

    /// <summary>Of prompts, cached ones included.</summary>
    public required long InputTokens { get; init; }

    public required long OutputTokens { get; init; }

    public required Money Cost { get; init; }
}
