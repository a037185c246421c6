using System.CommandLine;
using System.Globalization;
using Cairn.Cli.CommandLine;
using Cairn.Contracts.Api;

namespace Cairn.Cli.Usage;

internal sealed class ExplainCommand : CairnCommand
{
    private readonly Argument<string> _request = new("REQUEST") { Description = "The request's id, from the answer's header x-request-id." };

    public ExplainCommand() : base("explain", "Why a request to a model went where it did: who was weighed, at what cost, and how it went.", "cairn explain req_0123456789abcdef01234567") =>
        Arguments.Add(_request);

    protected override async Task<int> RunAsync(CommandContext context, CancellationToken cancellationToken)
    {
        var request = await context.Api.GetAsync<RequestView>(Query.Of("requests/" + Query.Segment(context.Get(_request)!), ("project", context.Project)), cancellationToken);
        context.Output.Write(request, view => Print(context.Output, view));
        return ExitCodes.Success;
    }

    private static void Print(Output output, RequestView request)
    {
        output.Markup($"[bold]{Words.Escape(request.Model)}[/] for key {Words.Escape(request.Key)} at {request.At.ToLocalTime():HH:mm:ss}{Words.Escape(request.Gateway is null ? "" : $", by gateway {request.Gateway}")}: "
            + $"{(request.Status is { } status ? $"status {status}" : "under way")}{Words.Escape(request.Error is null ? "" : ": " + request.Error)}");
        output.Line(string.Create(CultureInfo.InvariantCulture,
            $"Prompt of about {request.PromptTokens:N0} tokens in {request.PromptBlocks} blocks; held {request.HeldMs:0.#} ms for a replica."));
        if (request.InputTokens is { } input)
        {
            output.Line(string.Create(CultureInfo.InvariantCulture,
                $"Used {input:N0} tokens in ({request.CachedTokens:N0} cached) and {request.OutputTokens:N0} out{(request.EstimatedUsage ? ", estimated" : "")}: {request.Cost}."));
        }
        for (var i = 0; i < request.Attempts.Count; i++)
        {
            output.Line("");
            Print(output, i + 1, request.Attempts[i]);
        }
    }

    private static void Print(Output output, int number, RequestAttemptView attempt)
    {
        output.Markup($"[bold]{number}. {Words.Escape(attempt.Target)}[/]: {Words.Escape(attempt.Outcome ?? "under way")}");
        if (attempt.Candidates is { Count: > 0 } candidates)
        {
            var table = Output.NewTable("REPLICA~", ">COST", ">PREFILL", ">QUEUE", ">DISTANCE", ">ADAPTER", ">CACHE", ">SESSION", "");
            foreach (var c in candidates)
            {
                table.AddRow(Words.Escape(c.Replica), Tokens(c.Cost), Tokens(c.Prefill), Tokens(c.Queue), Tokens(c.Distance), Tokens(c.Adapter), Tokens(c.CachePressure),
                    Tokens(c.Session), c.Chosen ? "chosen" : "");
            }
            output.Table(table);
        }
        var left = new (int Count, string Why)[]
        {
            (attempt.Unready, "not ready"), (attempt.Draining, "draining"), (attempt.Broken, "failing lately"), (attempt.Full, "full"), (attempt.Tried, "failed this request before"),
        };
        if (left.Any(l => l.Count > 0))
            output.Line("Left out: " + string.Join(", ", left.Where(l => l.Count > 0).Select(l => $"{l.Count} {l.Why}")) + ".");
    }

    private static string Tokens(double tokens) => tokens.ToString("0.#", CultureInfo.InvariantCulture);
}
