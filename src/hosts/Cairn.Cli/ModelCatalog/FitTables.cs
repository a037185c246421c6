using System.Globalization;
using Cairn.Cli.CommandLine;
using Cairn.Contracts.Api;
using Cairn.Frameworks.Fitting;
using Cairn.Frameworks.ModelCatalog;

namespace Cairn.Cli.ModelCatalog;

/// <summary>Prints a fit with its reasoning.</summary>
internal sealed class FitTables(Output output, OpenModel model, FitNeed need)
{
    public void Memory()
    {
        output.Markup(
            $"[bold]{Words.Escape(model.Title)}[/]: prompts of {Number(need.InputTokens)} tokens"
            + (need.OutputTokens == 0 ? "" : $", answers of {Number(need.OutputTokens)}, room for {Number(need.Context)} per sequence"));
        var published = Precisions.Published(model);
        var sequence = ModelMemory.SequenceBytes(model.Shape, need.Context, need.KvPrecision);
        var table = Output.NewTable("  PRECISION", ">WEIGHTS", "PUBLISHED");
        foreach (var precision in Enum.GetValues<WeightPrecision>().Where(one => one is not WeightPrecision.Fp32 || need.Precision == one))
        {
            table.AddRow(
                "  " + EnumWords.Of(precision), Words.Bytes(ModelMemory.WeightBytes(model, precision)),
                published.Contains(precision) ? $"by {Words.Escape(model.Publisher)}" : "by others, if at all");
        }

        output.Table(table);
        if (need.OutputTokens > 0)
        {
            output.Line(
                $"  Keys and values: {Words.Bytes(sequence)} per sequence, {Number(sequence / need.Context)} bytes per token ({EnumWords.Of(need.KvPrecision)}).");
        }

        output.Line("");
    }

    public void Offers(OfferFits fits, int top)
    {
        if (fits.Fits.Count == 0)
        {
            output.Markup("[yellow]No offer serves this.[/]");
            return;
        }

        var table = Output.NewTable("PLACE~", "CARDS", "IN", "AS", ">AT ONCE", ">TTFT", ">TPOT", ">TOK/S", ">$/M IN", ">$/M OUT");
        foreach (var fit in fits.Fits.Take(top))
        {
            var speed = fit.Fit.Speed;
            table.AddRow(
                Words.Escape($"{fit.Offer.Provider}/{fit.Offer.Region}"), CardsOf(fit), EnumWords.Of(fit.Fit.Precision),
                    FitWords.Layout(fit.Fit),
                speed is null ? "–" : Number(speed.Concurrency), speed is null ? "–" : FitWords.Time(speed.SecondsToFirstToken),
                speed is null || need.OutputTokens == 0 ? "–" : FitWords.Time(speed.SecondsPerToken), TokensPerSecond(fit.Fit),
                fit.Price is { } price ? FitWords.Price(price.PerMillionInput) : "–",
                fit.Price is { } paid && need.OutputTokens > 0 ? FitWords.Price(paid.PerMillionOutput) : "–");
        }

        output.Table(table);
        if (fits.Fits.Count > top)
            output.Note($"{fits.Fits.Count - top} more machines serve it; --top shows more.");
        Reasoning(fits.Fits[0]);
        output.Note("An estimate from data sheets, for machines that are never idle; docs/models.md says how far it is from published measurements.");
    }

    public void Rejected(OfferFits fits, int most)
    {
        if (most == 0 || fits.Misfits.Count == 0)
            return;
        output.Line("");
        output.Markup($"[bold]Out[/] ({fits.Misfits.Count} machines{(fits.WithoutAccelerator > 0 ? $"; {fits.WithoutAccelerator} more have no accelerator" : "")})");
        var table = Output.NewTable(">  MACHINES", "WHY~");
        foreach (var group in fits.Misfits.GroupBy(misfit => string.Join("; ", misfit.Reasons)).OrderByDescending(group =>
            group.Count()).Take(most))
            table.AddRow("  " + Number(group.Count()), Words.Escape(group.Key));
        output.Table(table);
    }

    public void Cards(IReadOnlyList<CardFit> cards)
    {
        output.Line("");
        var table = Output.NewTable("ACCELERATOR", ">FEWEST", "IN", ">AT ONCE", ">TTFT", ">TPOT", ">TOK/S", "BOUND BY~");
        foreach (var card in cards.Where(card => card.Fit is not null))
        {
            var speed = card.Fit!.Speed;
            table.AddRow(
                card.Name, Number(card.Fit.FewestAccelerators), EnumWords.Of(card.Fit.Precision), speed is null
                    ? "–" : Number(speed.Concurrency),
                speed is null ? "–" : FitWords.Time(speed.SecondsToFirstToken), speed is null || need.OutputTokens == 0
                    ? "–" : FitWords.Time(speed.SecondsPerToken),
                TokensPerSecond(card.Fit),
                speed is null ? "no rate published" : FitWords.Bound(speed.Bound));
        }

        output.Table(table);
        var without = cards.Where(card => card.Fit is null).Select(card => card.Name).ToList();
        if (without.Count > 0)
            output.Note($"Not on 16 or fewer of: {string.Join(", ", without)}.");
    }

    private void Reasoning(OfferFit best)
    {
        var (fit, memory) = (best.Fit, best.Fit.Memory);
        output.Line("");
        output.Markup($"[bold]Why {Words.Escape(best.Offer.Provider)} {Words.Escape(best.Offer.InstanceType)}[/]: {Words.Usd((decimal)best.UsdPerHour)} an hour");
        var table = Output.NewTable("  OF ONE ACCELERATOR", ">MEMORY");
        table.AddRow("  weights", Words.Bytes(memory.Weights));
        table.AddRow("  activations, logits", Words.Bytes(memory.Workspace));
        table.AddRow("  engine and its libraries", Words.Bytes(memory.Runtime));
        if (need.OutputTokens > 0)
            table.AddRow($"  keys and values, room for {Number(memory.Sequences)} sequences", Words.Bytes(memory.ForSequences));
        table.AddRow($"  usable ({need.MemoryShare:0.##} of it)", Words.Bytes(memory.Usable));
        output.Table(table);
        if (fit.Speed is not { } speed)
            return;
        var share = speed.PrefillShare.ToString("0 %", CultureInfo.InvariantCulture);
        output.Line($"  A prompt alone takes {FitWords.Time(speed.PrefillSeconds)}; prompts take {share} of the time.");
        if (need.OutputTokens > 0)
        {
            var step = speed.Step;
            output.Line($"  A step of {Number(speed.Concurrency)} sequences takes {FitWords.Time(step.Total)}: matrices {FitWords.Time(step.Matrices)},");
            output.Line(
                $"  keys and values {FitWords.Time(step.KeysAndValues)}, links {FitWords.Time(step.Communication)}, overhead {FitWords.Time(step.Overhead)}.");
        }

        output.Line($"  What holds it back the most: {FitWords.Bound(speed.Bound)}. The fewest of this card: {fit.FewestAccelerators}.");
    }

    private static string CardsOf(OfferFit fit) =>
        (fit.Machines > 1 ? $"{fit.Machines} × " : "") + (fit.Machine.Count > 1
            ? $"{fit.Machine.Count} × " : "") + Words.Escape(fit.Machine.Accelerator.Name)
        + Words.SimulatedMark(fit.Offer.Simulated);

    private string TokensPerSecond(FitAnswer.Fits fit) =>
        fit.Speed is null ? "–" : Number((long)(need.OutputTokens == 0 ? fit.InputTokensPerSecond : fit.OutputTokensPerSecond));

    private static string Number(long value) => value == long.MaxValue ? "any number of" : value.ToString("#,##0",
        CultureInfo.InvariantCulture);
}
