using Cairn.Cli.CommandLine;
using Cairn.Contracts.Api;

namespace Cairn.Cli.Endpoints;

/// <summary>Endpoints in words and tables.</summary>
internal static class EndpointText
{
    public static string HowToCall(EndpointView endpoint, string server) => endpoint.Model is { } model
        ? $"OpenAI's clients call it with base URL {server}/v1, a key of project {endpoint.Project}, and model '{model}'. `cairn chat {endpoint.Name}` talks to it."
        : $"It answers at {server}{endpoint.Path}.";

    public static void Print(Output output, IReadOnlyList<EndpointView> endpoints)
    {
        var table = Output.NewTable("NAME", "MODEL~", "PHASE", "REVISION", ">REPLICAS", ">BOUNDS", ">AT ONCE", ">PRICE", "WHY~");
        foreach (var e in endpoints)
        {
            table.AddRow(Words.Escape(e.Name), Words.Escape(e.Model ?? "–"), e.Phase, e.CanaryRevision is { } canary ? $"{e.Revision} + {canary} ({e.CanaryPercent} %)" : $"{e.Revision}",
                $"{e.Ready}/{e.Wanted}", $"{e.Min}..{e.Max}", Words.Number(e.Concurrency), e.Hourly.ToString(), Words.Escape(e.Message ?? ""));
        }
        output.Table(table);
    }

    public static void Print(Output output, EndpointView endpoint, string server)
    {
        Print(output, [endpoint]);
        output.Line("");
        if (endpoint.Replicas is { Count: > 0 } replicas)
        {
            var table = Output.NewTable("REPLICA", "REVISION", "PHASE", "NODE~", "WHERE~", ">AT ONCE", ">PRICE", "MESSAGE~");
            foreach (var r in replicas)
            {
                table.AddRow(r.Id.ToString("N")[^8..], $"{r.Revision}", r.Phase, Words.Escape(r.Node ?? "–") + Words.SimulatedMark(r.Simulated), Words.Escape(r.Place ?? "–"),
                    $"{r.InFlight}", r.Hourly.ToString(), Words.Escape(r.Message ?? ""));
            }
            output.Table(table);
            output.Line("");
        }
        if (endpoint.Revisions is { Count: > 0 } revisions)
        {
            var table = Output.NewTable("REVISION", ">REQUESTS", ">FAILED", ">FIRST BYTE P90");
            foreach (var r in revisions)
                table.AddRow($"{r.Number}", $"{r.Requests}", $"{r.Failures}", r.FirstTokenP90Ms is { } ms ? $"{Words.Number(Math.Round(ms))} ms" : "–");
            output.Table(table);
            output.Line("");
        }
        foreach (var e in endpoint.Events ?? [])
            output.Line($"{e.At.ToLocalTime():HH:mm:ss}  {e.Kind}: {e.Message}");
        output.Note(HowToCall(endpoint, server));
        if (endpoint.Hosts.Count > 0)
            output.Note($"Its own names: {string.Join(", ", endpoint.Hosts)}. There /v1 reaches its model whatever a request calls it, and other paths reach a replica.");
    }
}
