namespace Cairn.Contracts.Api;

/// <summary>GET /api/v1/certificates: one that answers, or a name that waits for one.</summary>
public sealed record CertificateView
{
    /// <summary>DNS names, perhaps with a leading <c>*.</c>.</summary>
    public required IReadOnlyList<string> Names { get; init; }

    /// <summary>The file that it is from; null where there is none yet.</summary>
    public string? Source { get; init; }

    public DateTimeOffset? Begins { get; init; }

    public DateTimeOffset? Ends { get; init; }

    /// <summary>When an authority is asked for the next; null where a person renews it.</summary>
    public DateTimeOffset? RenewsAt { get; init; }

    /// <summary>Why the next did not come yet.</summary>
    public string? Problem { get; init; }
}
