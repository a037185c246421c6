using System.Globalization;
using Cairn.Cli.CommandLine;
using Cairn.Cli.ModelCatalog;
using Cairn.Contracts.Api;
using Cairn.Frameworks.Fitting;
using Cairn.Frameworks.ModelCatalog;
using Cairn.Frameworks.Recipes.Serving;

namespace Cairn.Cli.Endpoints;

/// <summary>Why a model is served as it is, in words.</summary>
internal static class ServedModelText
{
    /// <summary>Of the publisher's files, with a tenth for what lies beside the weights; in whole GB.</summary>
    public static long WeightBytes(OpenModel model)
    {
        var bits = Precisions.BitsPerWeight(Precisions.Published(model) is [var best, ..] ? best : WeightPrecision.Bf16);
        return (long)Math.Ceiling(model.Parameters * bits / 8 * 1.1 / 1e9) * 1_000_000_000;
    }

    public static IReadOnlyList<string> Why(OpenModel model, FitNeed need, ServingRecipe recipe, OfferFit best, string weights, bool isEnrolled)
    {
        var lines = new List<string> { Fit(model, need, recipe, best) };
        if (best.Fit.Speed is { } speed)
            lines.Add(Speed(speed));
        lines.Add(Price(best));
        if (!isEnrolled)
            lines.Add($"No enrolled node holds it so: this is the catalogue's cheapest, {best.Offer.Provider}/{best.Offer.Region}/{best.Offer.InstanceType}.");
        else if (best.Offer.Simulated)
            lines.Add("The node's accelerators are simulated: declared, and not there.");
        lines.Add(recipe.DownloadsWeights && !weights.StartsWith('/')
            ? $"{recipe.Title} downloads {weights} by itself on its node ({Words.Bytes(WeightBytes(model))}) and must be installed there{Image(recipe)}; "
                + "--secret HF_TOKEN hands it a token, which some repositories ask for."
            : $"{recipe.Title} loads {weights} on its node, where both must be{Image(recipe)}.");
        lines.Add($"Licence: {model.License}; commercial use: {EnumWords.Of(model.CommercialUse)}.");
        return lines;
    }

    private static string Fit(OpenModel model, FitNeed need, ServingRecipe recipe, OfferFit best)
    {
        var (fit, cards) = (best.Fit, best.Fit.Layout.Accelerators);
        return string.Create(CultureInfo.InvariantCulture,
            $"{model.Name} by {recipe.Title} in {EnumWords.Of(fit.Precision)} on {cards} × {best.Offer.Accelerator}, {need.Context:#,##0} tokens for each of "
            + $"{fit.Speed?.Concurrency ?? need.Concurrency ?? 1} sequences at once.");
    }

    private static string Speed(SpeedEstimate speed) => string.Create(CultureInfo.InvariantCulture,
        $"Estimated: first token after {FitWords.Time(speed.SecondsToFirstToken)}, {FitWords.Time(speed.SecondsPerToken)} for each further one, "
        + $"{speed.OutputTokensPerSecond:#,##0} tokens/s; bound by {FitWords.Bound(speed.Bound)}.");

    /// <summary>A machine holds several replicas; each is paid its share.</summary>
    private static string Price(OfferFit best)
    {
        var hourly = (best.UsdPerHour / best.Fit.Replicas).ToString("0.00", CultureInfo.InvariantCulture);
        return best.Price is { } price
            ? $"${hourly}/h for a replica: ${FitWords.Price(price.PerMillionInput)} per million input tokens and ${FitWords.Price(price.PerMillionOutput)} per million output "
                + "tokens, if it is never idle."
            : $"${hourly}/h for a replica.";
    }

    private static string Image(ServingRecipe recipe) => recipe.Image is { } image ? $" (the image {image} holds it)" : "";
}
