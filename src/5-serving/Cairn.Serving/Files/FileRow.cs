using Cairn.Contracts.Ids;

namespace Cairn.Serving.Files;

internal enum FilePhase
{
    /// <summary>Its content is on its way to the blobs.</summary>
    Writing,

    Ready,

    /// <summary>Seen by nobody; its content is being removed.</summary>
    Leaving,
}

/// <summary>A file that a client, or a batch, keeps.</summary>
internal sealed record FileRow
{
    public string Id { get; init; } = "";

    public ProjectId ProjectId { get; init; }

    /// <summary>The key that brought it, or whose batch made it.</summary>
    public KeyId KeyId { get; init; }

    public string Purpose { get; init; } = "";

    public string Name { get; init; } = "";

    /// <summary>Of the client's content, without what stands before it in the blob.</summary>
    public long Bytes { get; init; }

    /// <summary>Of the blob.</summary>
    public string Hash { get; init; } = "";

    public FilePhase Phase { get; init; }

    public DateTimeOffset CreatedAt { get; init; }

    /// <summary>Null for a file that stays.</summary>
    public DateTimeOffset? ExpiresAt { get; init; }

    /// <summary>A new file's id; sorts by the time of its making.</summary>
    public static string NewId(DateTimeOffset now) => $"file-{TimeOrderedUuid.New(now):N}";

    /// <summary>As OpenAI shows it.</summary>
    public object View => new
    {
        id = Id, @object = "file", bytes = Bytes, created_at = CreatedAt.ToUnixTimeSeconds(), expires_at = ExpiresAt?.ToUnixTimeSeconds(), filename = Name, purpose = Purpose,
        status = "processed", status_details = (string?)null,
    };
}
