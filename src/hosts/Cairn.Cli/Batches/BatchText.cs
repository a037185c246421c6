using System.Text.Json.Nodes;
using Cairn.Cli.CommandLine;

namespace Cairn.Cli.Batches;

/// <summary>How batches read in tables and lines.</summary>
internal static class BatchText
{
    public static bool HasEnded(JsonObject batch) => (string?)batch["status"] is "completed" or "failed" or "expired" or "cancelled";

    public static void Table(Output output, IReadOnlyList<JsonObject> batches, DateTimeOffset now)
    {
        var table = Output.NewTable("ID", "STATUS", "MODEL~", "ENDPOINT~", ">DONE", ">FAILED", ">TOTAL", "MADE");
        foreach (var batch in batches)
        {
            var counts = batch["request_counts"]!;
            table.AddRow(Words.Escape((string?)batch["id"]), (string)batch["status"]!, Words.Escape((string?)batch["model"] ?? "–"), Words.Escape((string?)batch["endpoint"]),
                $"{counts["completed"]}", $"{counts["failed"]}", $"{counts["total"]}", Words.Ago(DateTimeOffset.FromUnixTimeSeconds((long)batch["created_at"]!), now));
        }
        output.Table(table);
    }

    public static void Print(Output output, JsonObject batch)
    {
        var counts = batch["request_counts"]!;
        output.Line($"{batch["id"]}  {batch["status"]}: {counts["completed"]} done and {counts["failed"]} failed of {counts["total"]}");
        foreach (var (name, member) in new[] { ("output", "output_file_id"), ("errors", "error_file_id") })
        {
            if ((string?)batch[member] is { } file)
                output.Line($"{name}  {file}");
        }
        foreach (var error in batch["errors"]?["data"]?.AsArray() ?? [])
            output.Line($"{(error!["line"] is { } line ? $"line {line}" : "file")}: {error["message"]} ({error["code"]})");
    }

    public static int ExitCode(JsonObject batch) => (string?)batch["status"] switch
    {
        "failed" or "expired" => ExitCodes.JobFailed,
        "cancelled" => ExitCodes.JobStopped,
        _ => ExitCodes.Success,
    };
}
