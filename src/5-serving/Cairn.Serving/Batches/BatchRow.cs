using System.Text.Json.Nodes;
using Cairn.Contracts.Api;
using Cairn.Contracts.Ids;

namespace Cairn.Serving.Batches;

/// <summary>Where a batch is, in OpenAI's words.</summary>
internal enum BatchPhase
{
    /// <summary>Its input is being read.</summary>
    Validating,
    InProgress,

    /// <summary>Its files are being written.</summary>
    Finalizing,
    Completed,

    /// <summary>Its input is no good; nothing was run.</summary>
    Failed,

    /// <summary>Its window was over before its last line.</summary>
    Expired,
    Cancelling,
    Cancelled,
}

/// <summary>What is wrong with an input.</summary>
/// <param name="Line">From 1; null where it is the file as a whole.</param>
internal sealed record BatchError(string Code, string Message, string? Param, int? Line);

/// <summary>A batch of requests.</summary>
internal sealed record BatchRow
{
    public string Id { get; init; } = "";

    public ProjectId ProjectId { get; init; }

    /// <summary>The key that made it: its lines are asked in this key's name.</summary>
    public KeyId KeyId { get; init; }

    public string Endpoint { get; init; } = "";

    public string InputFileId { get; init; } = "";

    /// <summary>The client's, as JSON.</summary>
    public string Metadata { get; init; } = "null";

    /// <summary>How long the client wants what comes out to be kept; null leaves it to the usual.</summary>
    public long? OutputSeconds { get; init; }

    public BatchPhase Phase { get; init; }

    /// <summary>What it becomes once its files are written; null before.</summary>
    public BatchPhase? EndsAs { get; init; }

    public string? Model { get; init; }

    public int Total { get; init; }

    public int Completed { get; init; }

    public int Failed { get; init; }

    public long InputTokens { get; init; }

    public long CachedTokens { get; init; }

    public long OutputTokens { get; init; }

    /// <summary>A JSON array of OpenAI's batch errors.</summary>
    public string Errors { get; init; } = "[]";

    public string? OutputFileId { get; init; }

    public string? ErrorFileId { get; init; }

    public DateTimeOffset CreatedAt { get; init; }

    public DateTimeOffset? InProgressAt { get; init; }

    public DateTimeOffset? FinalizingAt { get; init; }

    public DateTimeOffset? CancellingAt { get; init; }

    public DateTimeOffset? EndedAt { get; init; }

    public DateTimeOffset ExpiresAt { get; init; }

    /// <summary>A new batch's id; sorts by the time of its making.</summary>
    public static string NewId(DateTimeOffset now) => $"batch_{TimeOrderedUuid.New(now):N}";

    public string RequestId(int line) => $"batch_req_{Id["batch_".Length..]}{line:x5}";

    /// <summary>As OpenAI shows it.</summary>
    public JsonObject View()
    {
        var errors = JsonNode.Parse(Errors)!.AsArray();
        return new JsonObject
        {
            ["id"] = Id, ["object"] = "batch", ["endpoint"] = Endpoint, ["model"] = Model,
            ["errors"] = errors.Count == 0 ? null : new JsonObject { ["object"] = "list", ["data"] = errors },
            ["input_file_id"] = InputFileId, ["completion_window"] = "24h", ["status"] = EnumWords.Of(Phase),
            ["output_file_id"] = OutputFileId, ["error_file_id"] = ErrorFileId, ["created_at"] = CreatedAt.ToUnixTimeSeconds(), ["in_progress_at"] = InProgressAt?.ToUnixTimeSeconds(),
            ["expires_at"] = ExpiresAt.ToUnixTimeSeconds(), ["finalizing_at"] = FinalizingAt?.ToUnixTimeSeconds(), ["completed_at"] = EndedAs(BatchPhase.Completed),
            ["failed_at"] = EndedAs(BatchPhase.Failed), ["expired_at"] = EndedAs(BatchPhase.Expired), ["cancelling_at"] = CancellingAt?.ToUnixTimeSeconds(),
            ["cancelled_at"] = EndedAs(BatchPhase.Cancelled),
            ["request_counts"] = new JsonObject { ["total"] = Total, ["completed"] = Completed, ["failed"] = Failed },
            ["usage"] = new JsonObject
            {
                ["input_tokens"] = InputTokens, ["input_tokens_details"] = new JsonObject { ["cached_tokens"] = CachedTokens }, ["output_tokens"] = OutputTokens,
                ["output_tokens_details"] = new JsonObject { ["reasoning_tokens"] = 0 }, ["total_tokens"] = InputTokens + OutputTokens,
            },
            ["metadata"] = JsonNode.Parse(Metadata),
        };
    }

    private long? EndedAs(BatchPhase phase) => Phase == phase ? EndedAt?.ToUnixTimeSeconds() : null;
}
