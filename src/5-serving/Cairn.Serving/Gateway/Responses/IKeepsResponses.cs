using Cairn.Contracts.Ids;

namespace Cairn.Serving.Gateway.Responses;

/// <summary>A response that its client can come back to.</summary>
/// <param name="Response">The response, as JSON.</param>
/// <param name="Items">All that led to it: the items of the conversation before it and its own input, as a JSON array.</param>
public sealed record KeptResponse(string Id, ProjectId Project, DateTimeOffset CreatedAt, DateTimeOffset ExpiresAt, string Response, string Items);

/// <summary>What keeps responses cannot be reached now; the same may succeed later.</summary>
public sealed class KeeperAwayException(string message, Exception? inner = null) : Exception(message, inner);

/// <summary>Keeps responses for the gateway beyond its own life.</summary>
public interface IKeepsResponses
{
    /// <summary>Whether nothing can be kept at the moment: then responses are made without being kept, unless the client insists.</summary>
    bool IsAway => false;

    /// <returns>Whether it is kept; false where it could not be written.</returns>
    Task<bool> KeepAsync(KeptResponse response, CancellationToken cancellationToken);

    /// <returns>A project's response that has not expired; null where there is none.</returns>
    /// <exception cref="KeeperAwayException">Nobody can say now.</exception>
    Task<KeptResponse?> FindAsync(ProjectId project, string id, CancellationToken cancellationToken);

    /// <returns>Whether there was one.</returns>
    /// <exception cref="KeeperAwayException">Nobody can say now, or forget it.</exception>
    Task<bool> ForgetAsync(ProjectId project, string id, CancellationToken cancellationToken);
}
