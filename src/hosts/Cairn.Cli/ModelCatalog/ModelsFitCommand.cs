using System.CommandLine;
using Cairn.Cli.CommandLine;
using Cairn.Cli.Offers;
using Cairn.Contracts.Api;
using Cairn.Frameworks.Fitting;
using Cairn.Frameworks.ModelCatalog;
using Cairn.Server.Plans;

namespace Cairn.Cli.ModelCatalog;

internal sealed class ModelsFitCommand : CairnCommand
{
    private readonly Argument<string> _model = ModelText.Argument();
    private readonly Option<int?> _input = new("--input")
    {
        Description = "Tokens of a typical prompt; default 1024, or 512 where nothing is written.",
        HelpName = "TOKENS",
    };

    private readonly Option<int?> _output = new("--output")
    {
        Description = "Tokens of a typical answer; default 256.",
        HelpName = "TOKENS",
    };

    private readonly Option<int?> _context = new("--context")
    {
        Description = "Tokens that each sequence has room for; default input and output.",
        HelpName = "TOKENS",
    };

    private readonly Option<int?> _concurrency = new("--concurrency")
    {
        Description = "Sequences at once per replica; default as many as memory and --slo allow.",
        HelpName = "N",
    };

    private readonly Option<string?> _slo = new("--slo")
    {
        Description = "How fast on average: ttft to the first token, tpot between tokens.",
        HelpName = "ttft=500ms,tpot=50ms",
    };

    private readonly Option<string?> _precision = new("--precision")
    {
        Description = $"Of the weights: {string.Join(", ", EnumWords.All<WeightPrecision>())}; default the best published one that fits.",
        HelpName = "NAME",
    };

    private readonly Option<string?> _kv = new("--kv")
    {
        Description = "Of keys and values: bf16 or fp8; default bf16.",
        HelpName = "NAME",
    };

    private readonly Option<double> _memory = new("--memory-share")
    {
        Description = "Share of an accelerator's memory that the engine takes.",
        DefaultValueFactory = _ => 0.9, HelpName = "SHARE",
    };

    private readonly Option<int> _machines = new("--machines")
    {
        Description = "Over how many joined machines a model may be spread.",
        DefaultValueFactory = _ => 4, HelpName = "N",
    };

    private readonly Option<string?> _gpu = new("--gpu")
    {
        Description = "Only offers with this accelerator, such as H100.",
        HelpName = "NAME",
    };

    private readonly Option<string?> _provider = new("--provider")
    {
        Description = "Only this provider.",
        HelpName = "NAME",
    };

    private readonly Option<bool> _spot = new("--spot")
    {
        Description = "Prices of machines that can be taken away.",
    };

    private readonly Option<bool> _cards = new("--cards")
    {
        Description = "Also every known accelerator: how many of it hold the model.",
    };

    private readonly Option<int> _top = new("--top")
    {
        Description = "How many places to show, cheapest first.",
        DefaultValueFactory = _ => 10, HelpName = "N",
    };

    private readonly Option<int> _rejected = new("--rejected")
    {
        Description = "How many reasons of places that are out to show.",
        DefaultValueFactory = _ => 5, HelpName = "N",
    };

    public ModelsFitCommand() : base(
        "fit", "Where a model runs, how fast, and what a million tokens cost at every offer. An estimate; needs no server.",
        "cairn models fit llama-3.3-70b --slo ttft=1s,tpot=40ms\n"
        + "cairn models fit qwen3-32b --context 32768 --concurrency 8 --precision fp8 --gpu H100")
    {
        Arguments.Add(_model);
        foreach (var option in new Option[]
        {
            _input, _output, _context, _concurrency, _slo, _precision, _kv, _memory, _machines, _gpu, _provider, _spot, _cards, _top,
                _rejected,
        })
            Options.Add(option);
        _precision.CompletionSources.Add([.. EnumWords.All<WeightPrecision>()]);
        _kv.CompletionSources.Add("bf16", "fp8");
    }

    protected override async Task<int> RunAsync(CommandContext context, CancellationToken cancellationToken)
    {
        var model = ModelText.Find(context.Get(_model)!);
        var need = Need(context, model);
        var filter = new OfferFilter { Gpu = context.Get(_gpu), Provider = context.Get(_provider) };
        var offers = context.HasServer
            ? await context.Api.ListAsync<OfferView>(
                Query.Of("offers", ("gpu", filter.Gpu), ("provider", filter.Provider), ("limit", "1000")), int.MaxValue, cancellationToken)
            : [.. filter.Apply(await LocalOffers.LoadAsync(cancellationToken)).Select(OfferView.From)];
        var fits = OfferFits.Of(model, need, offers, context.Get(_spot), context.Get(_machines));
        var cards = context.Get(_cards) ? CardFit.All(model, need) : null;
        context.Output.Write(FitView.From(model, need, fits, cards), _ =>
        {
            var tables = new FitTables(context.Output, model, need);
            tables.Memory();
            tables.Offers(fits, context.Get(_top));
            tables.Rejected(fits, context.Get(_rejected));
            if (cards is not null)
                tables.Cards(cards);
        });
        return fits.Fits.Count > 0 ? ExitCodes.Success : ExitCodes.Refused;
    }

    /// <exception cref="CliException">With everything that is wrong.</exception>
    private FitNeed Need(CommandContext context, OpenModel model)
    {
        var problems = new List<string>();
        var writes = model.Kind is ModelKind.TextGeneration;
        var need = new FitNeed
        {
            InputTokens = context.Get(_input) ?? (writes ? 1024 : Math.Min(512, model.Shape.Context)),
            OutputTokens = context.Get(_output) ?? (writes ? 256 : 0),
            ContextTokens = context.Get(_context),
            Concurrency = context.Get(_concurrency),
            Objective = FitWords.Objective(context.Get(_slo), problems),
            Precision = FitWords.Precision(context.Get(_precision), problems),
            KvPrecision = FitWords.Kv(context.Get(_kv), problems),
            MemoryShare = context.Get(_memory),
        };
        if (!writes && need.OutputTokens > 0)
            problems.Add($"--output is {need.OutputTokens}; {model.Name} writes nothing.");
        if (context.Get(_top) < 1 || context.Get(_rejected) < 0)
            problems.Add($"--top is {context.Get(_top)} and --rejected is {context.Get(_rejected)}; expected at least 1 and 0.");
        if (context.Get(_machines) is < 1 or > 64)
            problems.Add($"--machines is {context.Get(_machines)}; expected 1 to 64.");
        problems.AddRange(need.Problems());
        return problems.Count == 0
            ? need
            : throw new CliException(ExitCodes.Usage, "This cannot be computed:", problems);
    }
}
