using Cairn.Frameworks.Fitting;

namespace Cairn.Frameworks.Recipes.Serving;

/// <summary>What an engine is to serve and how.</summary>
public sealed record ServingStart
{
    /// <summary>A folder, a file (llama.cpp) or the name of a repository.</summary>
    public required string Model { get; init; }

    /// <summary>1 to 65,535; what speaks gRPC takes the one above it too, and Triton the two above it.</summary>
    public required int Port { get; init; }

    public string Host { get; init; } = "127.0.0.1";

    /// <summary>The name that requests give; null: the engine's own.</summary>
    public string? Name { get; init; }

    public WeightPrecision Precision { get; init; } = WeightPrecision.Bf16;

    /// <summary>True where the files are in <see cref="Precision"/>; false where the engine is to convert them while it loads.</summary>
    public bool IsPublishedSo { get; init; } = true;

    public KvPrecision KvPrecision { get; init; }

    public Layout Layout { get; init; } = new(1);

    /// <summary>False on a machine whose accelerators are not to be used, or that has none.</summary>
    public bool UsesAccelerators { get; init; } = true;

    /// <summary>Tokens of one sequence; null: the model's.</summary>
    public int? Context { get; init; }

    /// <summary>Sequences at once; null: the engine's default.</summary>
    public int? Sequences { get; init; }

    /// <summary>Share of an accelerator's memory, over 0 to 1; null: the engine's default.</summary>
    public double? MemoryShare { get; init; }

    /// <summary>CPU threads; null: the engine's default.</summary>
    public int? Threads { get; init; }

    /// <summary>What a fit found, ready to be started.</summary>
    public static ServingStart From(string model, int port, FitNeed need, FitAnswer.Fits fit)
    {
        ArgumentNullException.ThrowIfNull(need);
        ArgumentNullException.ThrowIfNull(fit);
        return new ServingStart
        {
            Model = model, Port = port, Precision = fit.Precision, KvPrecision = need.KvPrecision, Layout = fit.Layout, Context = need.Context,
            Sequences = fit.Speed?.Concurrency ?? need.Concurrency, MemoryShare = need.MemoryShare,
        };
    }
}

/// <summary>What is run for it.</summary>
/// <param name="Arguments">The program and its arguments, one word each: nothing is left for a shell to split.</param>
/// <param name="Environment">To be set besides what there is.</param>
/// <param name="ReadyUrl">Answers <paramref name="ReadyStatus"/> when requests may come.</param>
/// <param name="MetricsUrl">Null where there is none.</param>
public sealed record ServingCommand(
    IReadOnlyList<string> Arguments, IReadOnlyDictionary<string, string> Environment, Uri ReadyUrl, int ReadyStatus, Uri? MetricsUrl);

/// <summary>Whether an engine can be started so: <see cref="Run"/> or <see cref="Refused"/>.</summary>
public abstract record ServingRendering
{
    private ServingRendering()
    {
    }

    public sealed record Run(ServingCommand Command) : ServingRendering;

    /// <param name="Problems">All of them, in words.</param>
    public sealed record Refused(IReadOnlyList<string> Problems) : ServingRendering;
}
