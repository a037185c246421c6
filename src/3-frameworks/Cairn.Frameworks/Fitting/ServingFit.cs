using System.Globalization;
using Cairn.Frameworks.ModelCatalog;

namespace Cairn.Frameworks.Fitting;

/// <summary>Finds how a model is served best on a machine. Pure: the same arguments give the same answer.</summary>
public static class ServingFit
{
    /// <param name="model">What is served.</param>
    /// <param name="need">How much of it; without problems, see <see cref="FitNeed.Problems"/>.</param>
    /// <param name="machine">On what.</param>
    /// <param name="engine">The engine's efficiency; null: <see cref="EngineEfficiency.Calibrated"/>.</param>
    /// <exception cref="ArgumentException">The need has problems.</exception>
    public static FitAnswer Of(OpenModel model, FitNeed need, ServingMachine machine, EngineEfficiency? engine = null)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(need);
        ArgumentNullException.ThrowIfNull(machine);
        if (need.Problems() is [var problem, ..])
            throw new ArgumentException(problem, nameof(need));
        engine ??= EngineEfficiency.Calibrated;
        if (need.Context > model.Shape.Context)
        {
            return new FitAnswer.DoesNotFit([string.Create(
                CultureInfo.InvariantCulture,
                $"a sequence of {need.Context:#,##0} tokens is wanted; {model.Name} has a context of {model.Shape.Context:#,##0}")]);
        }

        var precisions = need.Precision is { } wanted ? [wanted] : Precisions.Published(model);
        var reasons = new List<string>();
        foreach (var precision in precisions)
        {
            if (WithPrecision(model, need, precision, machine, engine, reasons) is { } answer)
                return answer;
        }

        if (precisions.Count == 0)
            reasons.Add($"{model.Publisher} publishes {model.Name} in no precision that is computed here; name one");
        return new FitAnswer.DoesNotFit(reasons);
    }

    private static FitAnswer.Fits? WithPrecision(
        OpenModel model, FitNeed need, WeightPrecision precision, ServingMachine machine, EngineEfficiency engine, List<string> reasons)
    {
        var computes = machine.Accelerator.Flops16 is not null;
        FitAnswer.Fits? best = null;
        int? fewest = null;
        (Layout Layout, MemoryNeed Memory)? tightest = null;
        var slow = "";
        foreach (var layout in Layouts(model.Shape, machine))
        {
            // More machines than needed only add hops.
            if (layout.Stages > 1 && fewest is not null)
                break;
            var memory = MemoryNeed.Of(model, need, precision, layout, machine.Accelerator, engine);
            var wanted = need.OutputTokens == 0 ? 1 : need.Concurrency ?? 1;
            if (memory.ForSequences < 0 || memory.Sequences < wanted)
            {
                tightest = (layout, memory);
                continue;
            }

            fewest ??= layout.Accelerators;
            var replicas = Math.Max(1, machine.Count / layout.TensorParallel);
            var roofline = computes ? new Roofline(model, precision, need.KvPrecision, layout, machine, engine) : null;
            var speed = roofline is null
                ? null
                : Fastest(
                    roofline, need, layout, memory,
                    message => slow = $"{Name(precision)} on {layout.Accelerators} × {machine.Accelerator.Name} {message}");
            if (speed is null && computes)
                continue;
            if (!computes && need.Objective != new ServingObjective())
            {
                slow = $"the vendor of {machine.Accelerator.Name} publishes no rate, so that it cannot be said whether it is fast enough";
                continue;
            }

            var answer = new FitAnswer.Fits(precision, layout, replicas, fewest.Value, memory, speed);
            if (best is null || Rate(answer, need) > Rate(best, need))
                best = answer;
        }

        if (best is null)
            reasons.Add(slow.Length > 0 ? slow : TooLarge(need, precision, machine, tightest));
        return best is null ? null : best with { FewestAccelerators = fewest!.Value };
    }

    private static double Rate(FitAnswer.Fits answer, FitNeed need) =>
        need.OutputTokens == 0 ? answer.InputTokensPerSecond : answer.OutputTokensPerSecond;

    private static IEnumerable<Layout> Layouts(ModelShape shape, ServingMachine machine)
    {
        foreach (var split in Layout.TensorSplits(shape, machine.Count))
            yield return new Layout(split);
        var widest = Layout.TensorSplits(shape, machine.Count).Last();
        for (var stages = 2; stages <= Math.Min(machine.MostMachines, shape.Layers); stages++)
            yield return new Layout(widest, stages);
    }

    /// <summary>As many sequences as memory and objective allow, or the number that is wanted.</summary>
    private static SpeedEstimate? Fastest(Roofline roofline, FitNeed need, Layout layout, MemoryNeed memory, Action<string> tooSlow)
    {
        if (need.Concurrency is { } fixedNumber)
        {
            var speed = SpeedEstimate.Of(roofline, need, fixedNumber);
            if (speed.Meets(need.Objective))
                return speed;
            tooSlow(TooSlow(speed));
            return null;
        }

        // Without answers nothing is gained by doing several at once: a prompt fills the card.
        var most = need.OutputTokens == 0 ? 1 : (int)Math.Min(memory.Sequences, (long)need.MostSequences * layout.Stages);
        var (low, high) = (0, most);
        while (low < high)
        {
            var middle = low + (high - low + 1) / 2;
            if (SpeedEstimate.Of(roofline, need, middle).Meets(need.Objective))
                low = middle;
            else
                high = middle - 1;
        }

        if (low > 0)
            return SpeedEstimate.Of(roofline, need, low);
        tooSlow(TooSlow(SpeedEstimate.Of(roofline, need, 1)));
        return null;
    }

    private static string TooSlow(SpeedEstimate speed) => string.Create(
        CultureInfo.InvariantCulture,
        $"is too slow: with {speed.Concurrency} at once the first token takes "
        + $"{speed.SecondsToFirstToken * 1e3:#,##0} ms and each further one {speed.SecondsPerToken * 1e3:#,##0.0} ms");

    private static string TooLarge(
        FitNeed need, WeightPrecision precision, ServingMachine machine, (Layout Layout, MemoryNeed Memory)? tightest)
    {
        var (layout, memory) = tightest!.Value;
        var sequences = need.OutputTokens == 0 ? 0 : need.Concurrency ?? 1;
        var (needed, usable) = (layout.Accelerators * memory.NeededFor(sequences) / 1e9, layout.Accelerators * memory.Usable / 1e9);
        var load = sequences == 0 ? "" : $" with {sequences} {(sequences == 1 ? "sequence" : "sequences")} of {need.Context:#,##0} tokens";
        return string.Create(
            CultureInfo.InvariantCulture,
            $"{Name(precision)}{load} needs {needed:#,##0.0} GB; {layout.Accelerators} × {machine.Accelerator.Name} "
            + $"give {usable:#,##0.0} GB");
    }

    private static string Name(WeightPrecision precision) => precision.ToString().ToLowerInvariant();
}
