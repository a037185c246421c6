using Cairn.Contracts.Problems;

namespace Cairn.Serving.Endpoints;

/// <summary>What became of a wish: the endpoint, or everything that is wrong with it.</summary>
internal sealed record EndpointOutcome(EndpointRow? Endpoint, Problem? Problem, IReadOnlyList<string> Errors)
{
    /// <summary>The endpoint's own DNS names.</summary>
    public IReadOnlyList<string> Hosts { get; init; } = [];

    public static EndpointOutcome Refused(string code, string message, IReadOnlyList<string>? errors = null) =>
        new(null, new Problem(code, message), errors ?? []);
}
