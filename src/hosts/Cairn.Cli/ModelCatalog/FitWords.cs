using System.Globalization;
using Cairn.Cli.CommandLine;
using Cairn.Contracts.Api;
using Cairn.Frameworks.Fitting;

namespace Cairn.Cli.ModelCatalog;

/// <summary>Reads and writes the words of <c>cairn models fit</c>.</summary>
internal static class FitWords
{
    /// <summary>Reads <c>ttft=500ms,tpot=0.05s</c>; what is wrong goes to <paramref name="problems"/>.</summary>
    public static ServingObjective Objective(string? text, List<string> problems)
    {
        TimeSpan? first = null, each = null;
        foreach (var part in (text ?? "").Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries))
        {
            var split = part.Split('=', 2, StringSplitOptions.TrimEntries);
            var time = split.Length == 2 ? Time(split[1]) : null;
            if (time is null || split[0] is not ("ttft" or "tpot"))
                problems.Add($"--slo has '{part}'; expected ttft=TIME or tpot=TIME, such as ttft=500ms,tpot=50ms.");
            else if (split[0] == "ttft")
                first = time;
            else
                each = time;
        }

        return new ServingObjective(first, each);
    }

    public static WeightPrecision? Precision(string? word, List<string> problems)
    {
        if (word is null)
            return null;
        if (word == "fp16")
            return WeightPrecision.Bf16;
        if (EnumWords.Find<WeightPrecision>(word) is { } precision)
            return precision;
        problems.Add($"--precision is '{word}'; expected {string.Join(", ", EnumWords.All<WeightPrecision>())}.");
        return null;
    }

    public static KvPrecision Kv(string? word, List<string> problems)
    {
        if (word is not (null or "bf16" or "fp16" or "fp8"))
            problems.Add($"--kv is '{word}'; expected bf16 or fp8.");
        return word == "fp8" ? KvPrecision.Fp8 : KvPrecision.Bf16;
    }

    public static string Bound(SpeedBound bound) => bound switch
    {
        SpeedBound.WeightBandwidth => "reading weights from memory",
        SpeedBound.Compute => "multiplying",
        SpeedBound.KvBandwidth => "reading keys and values from memory",
        SpeedBound.Prefill => "reading prompts",
        SpeedBound.Communication => "the links between accelerators",
        _ => "launches and scheduling: the model is small for the card",
    };

    public static string Layout(FitAnswer.Fits fit) =>
        (fit.Replicas > 1 ? $"{fit.Replicas} × " : "")
        + (fit.Layout.TensorParallel > 1 ? $"TP{fit.Layout.TensorParallel}" : "1 card")
        + (fit.Layout.Stages > 1 ? $" PP{fit.Layout.Stages}" : "");

    public static string Time(double seconds) => seconds switch
    {
        >= 10 => seconds.ToString("0", CultureInfo.InvariantCulture) + " s",
        >= 1 => seconds.ToString("0.0", CultureInfo.InvariantCulture) + " s",
        _ => Words.Number(Math.Round(seconds * 1e3, seconds < 0.01 ? 1 : 0)) + " ms",
    };

    public static string Price(double usd) => usd.ToString(usd switch { >= 0.995 => "0.00", >= 0.00995 => "0.000", _ => "0.00000" },
        CultureInfo.InvariantCulture);

    private static TimeSpan? Time(string text)
    {
        var (number, unit) = text.EndsWith("ms", StringComparison.Ordinal) ? (text[..^2], 1e-3)
            : text.EndsWith('s') ? (text[..^1], 1.0) : ("", 0.0);
        return double.TryParse(number, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var value)
            && value is > 0 and < 1e9
            ? TimeSpan.FromSeconds(value * unit)
            : null;
    }
}
