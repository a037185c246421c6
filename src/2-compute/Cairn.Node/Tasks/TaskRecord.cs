using System.Text.Json;
using System.Text.Json.Serialization;
using Cairn.Contracts.Wire;
using Cairn.Node.Durable;
using Google.Protobuf;

namespace Cairn.Node.Tasks;

/// <summary>How a task ended. Reasons are those of <see cref="Contracts.Jobs.EndReasons"/>.</summary>
internal sealed record TaskEnd(string Reason, string Message = "", int? ExitCode = null, int? Signal = null);

/// <summary>A wish that the task ends. The first one stands.</summary>
internal sealed record StopOrder(string Reason, string Message, int GraceSeconds);

/// <summary>
/// Where a task is in its life, as it stands on disk: everything a new daemon needs besides the files that the supervisor writes.
/// </summary>
internal sealed class TaskRecord
{
    public required string TaskId { get; init; }

    public required long Epoch { get; init; }

    /// <summary>The boot in which it was started; its processes are gone in another.</summary>
    public required string BootId { get; init; }

    /// <summary>Boot clock timestamp of the command: a lease that was never renewed counts from it.</summary>
    public long Assigned { get; init; }

    public TaskPhase Phase { get; set; } = TaskPhase.Assigned;

    public long Sequence { get; set; }

    /// <summary>Reports that the server has not acknowledged, oldest first, in wire form.</summary>
    public List<byte[]> Unacknowledged { get; init; } = [];

    /// <summary>Whether a supervisor was asked for.</summary>
    public bool Launched { get; set; }

    public uint? User { get; set; }

    public uint? Group { get; set; }

    /// <summary>Boot clock timestamp of the start of `run`; 0 before.</summary>
    public long RunStarted { get; set; }

    /// <summary>Boot clock timestamp of the end of `run`; 0 before. What comes after it, such as storing outputs, is not run time.</summary>
    public long RunEnded { get; set; }

    public StopOrder? Stop { get; set; }

    public TaskEnd? End { get; set; }

    /// <summary>Outputs that the server has acknowledged.</summary>
    public List<string> DeliveredOutputs { get; init; } = [];

    /// <summary>Port of rank 0, from BeginTask.</summary>
    public int MasterPort { get; set; }

    public bool HasSecrets { get; init; }

    public static TaskRecord Read(string path) =>
        JsonSerializer.Deserialize(File.ReadAllBytes(path), TaskRecordJson.Default.TaskRecord)
        ?? throw new JsonException($"{path} holds no task");

    public void Write(string path, bool durable) =>
        AtomicFile.Write(path, JsonSerializer.SerializeToUtf8Bytes(this, TaskRecordJson.Default.TaskRecord), durable);

    public IEnumerable<TaskReport> Reports() => Unacknowledged.Select(bytes => TaskReport.Parser.ParseFrom(bytes));

    public void Add(TaskReport report) => Unacknowledged.Add(report.ToByteArray());
}

[JsonSerializable(typeof(TaskRecord))]
internal sealed partial class TaskRecordJson : JsonSerializerContext;
