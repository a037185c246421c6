using System.CommandLine;
using Cairn.Cli.CommandLine;
using Cairn.Cli.Jobs;
using Cairn.Contracts.Api;

namespace Cairn.Cli.Endpoints;

internal sealed class ServeCommand : CairnCommand
{
    private readonly Argument<string> _thing = new("THING") { Description = "A workload file with a service, or a folder with a model." };
    private readonly ServeFlags _flags = new();
    private readonly Option<bool> _detach = new("--detach", "-d") { Description = "Do not wait until it answers." };

    public ServeCommand() : base("serve", "Serve a model or any HTTP server at a stable address, with as many replicas as its load asks for.",
        "cairn serve ./model --name tiny --min 0 --max 4\n  cairn serve vllm.yaml")
    {
        Arguments.Add(_thing);
        _flags.AddTo(this);
        Options.Add(_detach);
    }

    protected override async Task<int> RunAsync(CommandContext context, CancellationToken cancellationToken)
    {
        var text = await ServedThing.ReadAsync(context.Get(_thing)!, context.Get(_flags.Name), cancellationToken);
        var parsed = text.Parse(context.Output);
        var request = _flags.Request(context, text) with { Workdir = await RunCommand.UploadWorkdirAsync(context, text, parsed, cancellationToken) };
        var endpoint = await context.Api.PostAsync<ServeRequest, EndpointView>(Query.Of("endpoints", ("project", context.Project)), request, cancellationToken);
        if (!context.Get(_detach))
            endpoint = await EndpointWait.UntilReadyAsync(context, endpoint, cancellationToken);
        context.Output.Write(endpoint, view =>
        {
            context.Output.Line(view.Name);
            context.Output.Note(EndpointText.HowToCall(view, context.Api.Server));
        });
        return endpoint.Phase == "failing" ? ExitCodes.JobFailed : ExitCodes.Success;
    }
}
