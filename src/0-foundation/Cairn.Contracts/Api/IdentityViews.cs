using Cairn.Contracts.Ids;
using Cairn.Contracts.Identity;

namespace Cairn.Contracts.Api;

public sealed record ProjectView(ProjectId Id, string Name, DateTimeOffset CreatedAt);

/// <summary>POST /api/v1/projects.</summary>
public sealed record CreateProjectRequest(string Name);

/// <param name="Key">The key's text: only in the answer that makes it.</param>
public sealed record KeyView(
    KeyId Id, string Name, Role Role, string Project, DateTimeOffset CreatedAt, DateTimeOffset? ExpiresAt, bool Revoked, string? Key);

/// <summary>POST /api/v1/keys.</summary>
public sealed record CreateKeyRequest
{
    public required string Name { get; init; }

    public Role Role { get; init; } = Role.Member;

    public string Project { get; init; } = "default";

    /// <summary>Null never expires.</summary>
    public long? ValidSeconds { get; init; }
}
