using Cairn.Contracts.Api;
using Cairn.Frameworks.Fitting;
using Cairn.Frameworks.ModelCatalog;

namespace Cairn.Cli.ModelCatalog;

/// <summary><c>cairn models fit --json</c>.</summary>
internal sealed record FitView
{
    public required string Model { get; init; }

    public required int InputTokens { get; init; }

    public required int OutputTokens { get; init; }

    public required int ContextTokens { get; init; }

    public required KvPrecision KvPrecision { get; init; }

    /// <summary>Bytes of one sequence's keys and values.</summary>
    public required long SequenceBytes { get; init; }

    public required IReadOnlyList<WeightsView> Weights { get; init; }

    public required IReadOnlyList<OfferFitView> Offers { get; init; }

    public required IReadOnlyList<OfferMisfitView> Rejected { get; init; }

    public required int OffersWithoutAccelerator { get; init; }

    public IReadOnlyList<CardFitView>? Cards { get; init; }

    public static FitView From(OpenModel model, FitNeed need, OfferFits fits, IReadOnlyList<CardFit>? cards) => new()
    {
        Model = model.Name,
        InputTokens = need.InputTokens,
        OutputTokens = need.OutputTokens,
        ContextTokens = need.Context,
        KvPrecision = need.KvPrecision,
        SequenceBytes = ModelMemory.SequenceBytes(model.Shape, need.Context, need.KvPrecision),
        Weights = [.. Enum.GetValues<WeightPrecision>().Select(precision => new WeightsView(
            precision, ModelMemory.WeightBytes(model, precision), Precisions.Published(model).Contains(precision)))],
        Offers = [.. fits.Fits.Select(OfferFitView.From)],
        Rejected = [.. fits.Misfits.Select(misfit => new OfferMisfitView(misfit.Offer, misfit.Reasons))],
        OffersWithoutAccelerator = fits.WithoutAccelerator,
        Cards = cards is null ? null : [.. cards.Select(card => new CardFitView(card.Name, card.Fit?.FewestAccelerators,
            card.Fit?.Precision, card.Fit?.Speed, card.Reason))],
    };
}

internal sealed record WeightsView(WeightPrecision Precision, long Bytes, bool Published);

internal sealed record OfferFitView(
    OfferView Offer, int Machines, double UsdPerHour, WeightPrecision Precision, int TensorParallel, int Stages, int Replicas,
        int FewestAccelerators,
    MemoryNeed Memory, SpeedEstimate? Speed, double InputTokensPerSecond, double OutputTokensPerSecond, double? UsdPerMillionInputTokens,
    double? UsdPerMillionOutputTokens)
{
    public static OfferFitView From(OfferFit fit) => new(
        fit.Offer, fit.Machines, fit.UsdPerHour, fit.Fit.Precision, fit.Fit.Layout.TensorParallel, fit.Fit.Layout.Stages, fit.Fit.Replicas,
        fit.Fit.FewestAccelerators, fit.Fit.Memory, fit.Fit.Speed, fit.Fit.InputTokensPerSecond, fit.Fit.OutputTokensPerSecond,
        fit.Price?.PerMillionInput, fit.Price?.PerMillionOutput);
}

internal sealed record OfferMisfitView(OfferView Offer, IReadOnlyList<string> Reasons);

internal sealed record CardFitView(string Accelerator, int? Fewest, WeightPrecision? Precision, SpeedEstimate? Speed, string? Reason);
