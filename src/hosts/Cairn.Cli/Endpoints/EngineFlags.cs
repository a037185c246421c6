using System.CommandLine;
using Cairn.Cli.CommandLine;
using Cairn.Cli.Jobs;
using Cairn.Cli.ModelCatalog;
using Cairn.Contracts.Api;
using Cairn.Frameworks.Fitting;
using Cairn.Frameworks.Recipes.Serving;

namespace Cairn.Cli.Endpoints;

/// <summary>What can be said of a model that is no workload file: its engine and its machines.</summary>
internal sealed class EngineFlags
{
    private readonly Option<string?> _engine = new("--engine")
    {
        Description = $"{string.Join(", ", ServingRecipes.All.Select(r => r.Name))}; default vllm for a model of the catalogue, else what reads the files.", HelpName = "NAME",
    };

    private readonly Option<string?> _gpu = new("--gpu")
    {
        Description = "Only on this accelerator, such as H100; with a number for files, such as L4:2.", HelpName = "GPU",
    };

    private readonly Option<string?> _weights = new("--weights")
    {
        Description = "What the engine loads in place of the publisher's repository.", HelpName = "REPOSITORY|PATH",
    };

    private readonly Option<string?> _precision = new("--precision")
    {
        Description = "Of the weights; default the best that the engine loads and a place holds.", HelpName = "NAME",
    };

    private readonly Option<string?> _slo = new("--slo")
    {
        Description = "How fast on average: ttft to the first token, tpot between tokens.", HelpName = "ttft=500ms,tpot=50ms",
    };

    private readonly Option<int?> _concurrency = new("--concurrency")
    {
        Description = "Sequences at once per replica; default as many as memory and --slo allow.", HelpName = "N",
    };

    private readonly Option<bool> _spot = new("--spot") { Description = "Also on machines that can be taken away." };

    public void AddTo(Command command)
    {
        foreach (var option in new Option[] { _engine, _gpu, _weights, _precision, _slo, _concurrency, _spot })
            command.Options.Add(option);
        _engine.CompletionSources.Add([.. ServingRecipes.All.Select(r => r.Name)]);
        _precision.CompletionSources.Add([.. EnumWords.All<WeightPrecision>()]);
    }

    public ServeWish Read(CommandContext context, string? name, int? tokens, IReadOnlyList<string> secrets) => new()
    {
        Name = name, Engine = context.Get(_engine), Gpu = context.Get(_gpu), Weights = context.Get(_weights), Precision = context.Get(_precision), Slo = context.Get(_slo),
        Context = tokens, Concurrency = context.Get(_concurrency), Spot = context.Get(_spot), Secrets = secrets,
    };
}
