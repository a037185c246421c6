using System.Globalization;
using Cairn.Cli.CommandLine;
using Cairn.Cli.ModelCatalog;
using Cairn.Cli.Offers;
using Cairn.Contracts.Api;
using Cairn.Contracts.Workloads;
using Cairn.Frameworks.Fitting;
using Cairn.Frameworks.ModelCatalog;
using Cairn.Frameworks.Recipes.Serving;
using Cairn.Hardware.Facts;
using Cairn.Server.Plans;

namespace Cairn.Cli.Endpoints;

/// <summary>
/// A model of the catalogue as a workload: (1) the engine, and what it can load; (2) where it fits, enrolled nodes before the catalogue's
/// offers, the cheapest request first; (3) the engine's workload for that accelerator and number of them; (4) why.
/// </summary>
internal static class ServedModel
{
    /// <summary>Room of a sequence where nobody says more, in tokens.</summary>
    private const int UsualContext = 8192;

    private const int MostReasons = 8;

    public static async Task<ServedThing> PlanAsync(CommandContext context, OpenModel model, ServeWish wish, CancellationToken cancellationToken)
    {
        // (1)
        var recipe = ServeWish.Recipe(wish.Engine ?? ServingRecipes.Vllm.Name);
        if (wish.Weights is null && !recipe.DownloadsWeights)
        {
            throw new CliException(
                ExitCodes.Usage, $"{recipe.Title} does not download {model.Source} by itself.",
                [$"Say with --weights what it shall load on its node, serve a folder or file that holds the model, or take another --engine: "
                    + $"{string.Join(", ", ServingRecipes.All.Where(r => r.DownloadsWeights).Select(r => r.Name))}."]);
        }

        var need = Need(model, wish, recipe);
        var precisions = Loadable(model, wish, recipe);
        if (precisions.Count == 0 || (need.Precision is { } asked && !precisions.Contains(asked)))
        {
            var can = precisions.Count == 0 ? "in no precision that it is published in" : $"in {string.Join(", ", precisions.Select(p => EnumWords.Of(p)))}";
            throw new CliException(ExitCodes.Usage, $"{recipe.Title} loads {model.Name} from {wish.Weights ?? model.Source} {can}.", ["--weights names a repository with others."]);
        }

        // (2)
        var offers = await OffersAsync(context, wish, cancellationToken);
        var best = Best(model, need, recipe, precisions, [.. offers.Where(o => o.Runnable && (wish.Spot || !o.Preemptible))], spot: false)
            ?? Best(model, need, recipe, precisions, offers, wish.Spot)
            ?? throw new CliException(
                ExitCodes.Refused, $"{model.Name} fits nowhere so.",
                [.. OfferFits.Of(model, need with { Precision = need.Precision ?? precisions[^1] }, offers, wish.Spot, 1).Misfits
                    .Select(m => $"{m.Offer.Provider}/{m.Offer.InstanceType}: {m.Reasons[^1]}").Distinct().Take(MostReasons)]);

        // (3)
        var name = wish.Name ?? ServedThing.NameOf(model.Name);
        var start = ServingStart.From(wish.Weights ?? model.Source, 1, need, best.Fit) with
        {
            Name = wish.Name ?? model.Name, IsPublishedSo = wish.Weights is not null || best.Fit.Precision == Native(model),
        };
        var text = ServedThing.Write(recipe, start, Place(model, best, name, wish), Directory.GetCurrentDirectory());

        // (4)
        return new ServedThing(text)
        {
            Why = ServedModelText.Why(model, need, recipe, best, start.Model, offers.Any(o => o.Runnable && o.Id == best.Offer.Id)), Context = need.Context,
            Concurrency = best.Fit.Speed?.Concurrency, IsPlanned = true,
        };
    }

    private static FitNeed Need(OpenModel model, ServeWish wish, ServingRecipe recipe)
    {
        var problems = new List<string>();
        var writes = model.Kind is ModelKind.TextGeneration;
        var room = wish.Context ?? Math.Min(UsualContext, model.Shape.Context);
        var need = new FitNeed
        {
            InputTokens = Math.Max(1, Math.Min(writes ? 1024 : 512, writes ? room - room / 4 : room)), OutputTokens = writes ? Math.Min(256, room / 4) : 0,
            ContextTokens = room, Concurrency = wish.Concurrency, Objective = FitWords.Objective(wish.Slo, problems), Precision = FitWords.Precision(wish.Precision, problems),
        };
        problems.AddRange(need.Problems());
        if (!recipe.Apis.Contains("openai"))
            problems.Add($"{recipe.Title} speaks {string.Join(", ", recipe.Apis)} and not OpenAI's API; give it a workload file.");
        return problems.Count == 0 ? need : throw new CliException(ExitCodes.Usage, "This cannot be computed:", problems);
    }

    /// <summary>The publisher's first format is that of its repository.</summary>
    private static WeightPrecision? Native(OpenModel model) =>
        Precisions.Published(model with { Formats = [.. model.Formats.Take(1)] }) is [var first, ..] ? first : null;

    /// <summary>
    /// What the engine can load, best first: the repository as it is, or in 8-bit floats where the engine makes those while it loads; of
    /// other weights whatever it serves.
    /// </summary>
    private static List<WeightPrecision> Loadable(OpenModel model, ServeWish wish, ServingRecipe recipe) => wish.Weights is not null
        ? [.. recipe.Weights.Keys.Where(p => p is not WeightPrecision.Fp32).Order()]
        : [.. recipe.Weights.Where(w => w.Key == Native(model) || (w.Key is WeightPrecision.Fp8 && w.Value.Count > 0 && Native(model) is WeightPrecision.Bf16))
            .Select(w => w.Key).Order()];

    private static async Task<IReadOnlyList<OfferView>> OffersAsync(CommandContext context, ServeWish wish, CancellationToken cancellationToken)
    {
        var filter = new OfferFilter { Gpu = wish.Gpu?.Split(':')[0] };
        return context.HasServer
            ? await context.Api.ListAsync<OfferView>(Query.Of("offers", ("gpu", filter.Gpu), ("limit", "1000")), int.MaxValue, cancellationToken)
            : [.. filter.Apply(await LocalOffers.LoadAsync(cancellationToken)).Select(OfferView.From)];
    }

    private static OfferFit? Best(OpenModel model, FitNeed need, ServingRecipe recipe, List<WeightPrecision> precisions, IReadOnlyList<OfferView> offers, bool spot)
    {
        foreach (var precision in need.Precision is { } asked ? [asked] : precisions)
        {
            var fits = OfferFits.Of(model, need with { Precision = precision }, offers, spot, mostMachines: 1);
            if (fits.Fits.FirstOrDefault(f => RunsOn(recipe, f)) is { } best)
                return best;
        }

        return null;
    }

    private static bool RunsOn(ServingRecipe recipe, OfferFit fit) => fit.Fit.Layout.TensorParallel <= recipe.MostAccelerators
        && Accelerators.Find(fit.Offer.Accelerator!, fit.Offer.AcceleratorMemoryBytes) is { } facts && recipe.Devices.Contains(facts.Vendor, StringComparer.OrdinalIgnoreCase);

    private static ServingPlace Place(OpenModel model, OfferFit best, string name, ServeWish wish)
    {
        var cards = best.Fit.Layout.TensorParallel;
        return new ServingPlace
        {
            Name = name, Secrets = wish.Secrets, Interruptible = wish.Spot, TimeToFirstTokenMs = FitWords.Objective(wish.Slo, []).TimeToFirstToken?.TotalMilliseconds,
            Resources = new ResourceSpec
            {
                Accelerators = new AcceleratorSpec { Names = [best.Offer.Accelerator!], Count = new Range<double>(cards, cards) },
                DiskBytes = wish.Weights is { } path && path.StartsWith('/') ? 0 : ServedModelText.WeightBytes(model),
            },
        };
    }
}
