using Cairn.Frameworks.Fitting;

namespace Cairn.Frameworks.Recipes.Serving;

/// <summary>
/// How a serving engine is started, watched and stopped, as data. Words in braces stand for what <see cref="ServingStart"/> knows; an
/// argument or a variable with a word that has no value there is left out, so that the engine's own default holds.
/// </summary>
public sealed record ServingRecipe
{
    /// <summary>Lower case, such as <c>llama.cpp</c>.</summary>
    public required string Name { get; init; }

    /// <summary>For people.</summary>
    public required string Title { get; init; }

    /// <summary>Where the engine says what its flags and metrics are.</summary>
    public required string Documentation { get; init; }

    /// <summary>The container image without a tag: a version is the user's choice. Null where the engine is no image.</summary>
    public string? Image { get; init; }

    /// <summary>The program and what always stands behind it.</summary>
    public required IReadOnlyList<string> Command { get; init; }

    /// <summary>A flag and its value, or one word, in this order.</summary>
    public required IReadOnlyList<IReadOnlyList<string>> Arguments { get; init; }

    public IReadOnlyDictionary<string, string> Environment { get => field ?? s_nothing; init; }

    /// <summary>The precisions that the engine serves, with what it must be told; a precision that is absent it does not serve.</summary>
    public required IReadOnlyDictionary<WeightPrecision, IReadOnlyList<string>> Weights { get; init; }

    /// <summary>Of <see cref="Weights"/>, those whose words are left out where the files are already in that precision.</summary>
    public IReadOnlyList<WeightPrecision> WeightsAsPublished { get => field ?? []; init; }

    /// <summary>As <see cref="Weights"/>, for keys and values. llama.cpp's 8-bit cache is Q8_0.</summary>
    public required IReadOnlyDictionary<KvPrecision, IReadOnlyList<string>> Kv { get; init; }

    /// <summary>
    /// True where the engine downloads weights by the name of a repository when it starts; false where files must be on its machine.
    /// </summary>
    public bool DownloadsWeights { get; init; }

    public required ReadyCheck Ready { get; init; }

    /// <summary>Null where the engine has no metrics.</summary>
    public MetricNames? Metrics { get; init; }

    public required DrainRule Drain { get; init; }

    /// <summary>The dialects it answers: <c>openai</c>, <c>open_inference</c>, and engines' own.</summary>
    public required IReadOnlyList<string> Apis { get; init; }

    /// <summary>What it runs on: <c>cpu</c> and accelerators' vendors.</summary>
    public required IReadOnlyList<string> Devices { get; init; }

    /// <summary>Accelerators of one replica, all machines together; 0 where it uses none.</summary>
    public required int MostAccelerators { get; init; }

    private static readonly Dictionary<string, string> s_nothing = [];
}

/// <summary>Asked again and again until it answers <paramref name="Status"/>; before, engines refuse connections or answer 503.</summary>
public sealed record ReadyCheck(string Path, int Status);

/// <summary>The engine's metrics in Cairn's words; null where it has none of that meaning.</summary>
/// <param name="Path">Of the Prometheus text.</param>
/// <param name="PortOffset">Added to the API's port.</param>
/// <param name="Running">Gauge: sequences worked on.</param>
/// <param name="Waiting">Gauge: requests in the queue.</param>
/// <param name="KvUsage">Gauge, 0 to 1: the share of keys' and values' memory in use.</param>
/// <param name="PromptTokens">Counter.</param>
/// <param name="GeneratedTokens">Counter.</param>
/// <param name="TimeToFirstToken">Histogram, seconds.</param>
/// <param name="TimePerToken">Histogram, seconds.</param>
public sealed record MetricNames(
    string Path, int PortOffset = 0, string? Running = null, string? Waiting = null, string? KvUsage = null, string? PromptTokens = null,
    string? GeneratedTokens = null, string? TimeToFirstToken = null, string? TimePerToken = null);

/// <param name="Signal">Sent to the process to end it.</param>
/// <param name="FinishesRequests">True where it answers what is under way before it goes; else the router must wait for that first.</param>
/// <param name="GraceSeconds">After which it may be killed.</param>
public sealed record DrainRule(string Signal, bool FinishesRequests, int GraceSeconds);
