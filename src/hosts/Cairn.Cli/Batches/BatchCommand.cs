using System.CommandLine;
using System.Text.Json.Nodes;
using Cairn.Cli.CommandLine;

namespace Cairn.Cli.Batches;

internal sealed class BatchCommand : CairnCommand
{
    private static readonly TimeSpan s_look = TimeSpan.FromSeconds(1);
    private static readonly string[] s_endpoints = ["/v1/chat/completions", "/v1/completions", "/v1/embeddings", "/v1/responses"];

    private readonly Argument<string> _what = new("FILE|ID")
    {
        Description = "A file of requests, one JSON object per line, to run; or a batch's id, to show.",
    };

    private readonly Option<string> _endpoint = new("--endpoint") { Description = "What the file's requests ask.", DefaultValueFactory = _ => s_endpoints[0] };
    private readonly Option<bool> _wait = new("--wait")
    {
        Description = "Wait until the batch ends. Exit code 0 if it completed, 10 if it failed or expired, 11 if it was cancelled.",
    };

    private readonly Option<bool> _cancel = new("--cancel") { Description = "Begin no further request of the batch." };

    public BatchCommand() : base("batch", "Run a file of requests below everybody else's, within 24 hours; or show or cancel such a batch.",
        "cairn batch requests.jsonl --wait\n  cairn batch batch_0199… --cancel")
    {
        Arguments.Add(_what);
        foreach (var option in new Option[] { _endpoint, _wait, _cancel })
            Options.Add(option);
        _endpoint.AcceptOnlyFromAmong(s_endpoints);
    }

    protected override async Task<int> RunAsync(CommandContext context, CancellationToken cancellationToken)
    {
        var what = context.Get(_what)!;
        using var client = new BatchClient(context);
        var batch = await BeginAsync(context, client, what, cancellationToken);
        if (context.Get(_wait))
            batch = await WaitAsync(context, client, batch, cancellationToken);
        context.Output.Write(batch, shown => BatchText.Print(context.Output, shown));
        return context.Get(_wait) ? BatchText.ExitCode(batch) : ExitCodes.Success;
    }

    private Task<JsonObject> BeginAsync(CommandContext context, BatchClient client, string what, CancellationToken cancellationToken)
    {
        var isId = what.StartsWith("batch_", StringComparison.Ordinal) && !File.Exists(what);
        if (isId)
            return context.Get(_cancel) ? client.CancelAsync(what, cancellationToken) : client.ShowAsync(what, cancellationToken);
        if (context.Get(_cancel))
            throw new CliException(ExitCodes.Usage, $"--cancel is for a batch's id; '{what}' is none. `cairn batches` lists them.");
        return File.Exists(what) ? client.MakeAsync(what, context.Get(_endpoint)!, cancellationToken)
            : throw new CliException(ExitCodes.NotFound, $"There is no file '{what}', and a batch's id begins with 'batch_'.");
    }

    private static async Task<JsonObject> WaitAsync(CommandContext context, BatchClient client, JsonObject batch, CancellationToken cancellationToken)
    {
        var (id, said) = ((string)batch["id"]!, "");
        while (!BatchText.HasEnded(batch))
        {
            if ($"{batch["id"]} {batch["status"]} {batch["request_counts"]!.ToJsonString()}" is var now && now != said && context.Output.IsTerminal)
                context.Output.Note(said = now);
            await Task.Delay(s_look, cancellationToken);
            batch = await client.ShowAsync(id, cancellationToken);
        }
        return batch;
    }
}
