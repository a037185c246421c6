namespace Cairn.Frameworks.Quantizing;

/// <summary>What quantising a model did to it.</summary>
/// <param name="Model">The model's file, relative to the output where that is a folder.</param>
/// <param name="BytesBefore">The graph's file and its external data, before.</param>
/// <param name="BytesAfter">The same, after.</param>
/// <param name="Converted">Weights that were converted.</param>
/// <param name="Kept">Float weights of more than 1,024 elements that stay as they were.</param>
public sealed record QuantizeReport(
    string Model, QuantizeTarget Target, long BytesBefore, long BytesAfter, IReadOnlyList<ConvertedWeight> Converted,
    IReadOnlyList<string> Kept)
{
    /// <summary>For a language model: how its predictions changed, and its speed here.</summary>
    public DecoderComparison? Decoder { get; init; }
    /// <summary>For any other model: how its outputs on seeded inputs changed.</summary>
    public OutputComparison? Outputs { get; init; }
    /// <summary>Why there is neither; null where there is one.</summary>
    public string? NotMeasured { get; init; }
}

/// <summary>A weight that was converted.</summary>
/// <param name="Bits">Bits per weight, scales left out.</param>
/// <param name="RelativeError">Root mean square of the rounding error over that of the weights.</param>
public sealed record ConvertedWeight(string Name, long Elements, int Bits, double RelativeError);

/// <summary>Two forms of a language model on one text, cut into windows that each start afresh.</summary>
/// <param name="Tokens">Positions whose predictions were compared.</param>
/// <param name="PerplexityBefore">exp of the mean negative log-probability of the text's own next token; lower is better.</param>
/// <param name="MeanDivergence">Mean Kullback–Leibler divergence of the new predictions from the old ones, nats; 0 is none.</param>
/// <param name="Top1Agreement">Share of positions at which both find the same token most likely, 0 to 1.</param>
/// <param name="MeanLogitError">Mean absolute difference of logits.</param>
/// <param name="MaximumLogitError">Largest absolute difference of logits.</param>
public sealed record DecoderComparison(
    int Tokens, double PerplexityBefore, double PerplexityAfter, double MeanDivergence, double Top1Agreement, double MeanLogitError,
    double MaximumLogitError, DecoderSpeed SpeedBefore, DecoderSpeed SpeedAfter);

/// <summary>
/// Tokens per second of one sequence on this machine with the runtime's own choice of threads: the best of several turns.
/// </summary>
/// <param name="Prefill">Reading a window at once.</param>
/// <param name="Decode">Token by token after it.</param>
public sealed record DecoderSpeed(double Prefill, double Decode);

/// <summary>Two forms of a model on the same seeded inputs.</summary>
/// <param name="RelativeError">Root mean square of the outputs' difference over that of the outputs, over all float outputs.</param>
/// <param name="Cosine">Cosine of the angle between both outputs.</param>
/// <param name="MaximumError">Largest absolute difference.</param>
/// <param name="RunsPerSecondBefore">Runs of the session per second on this machine, same inputs: the best of several turns.</param>
public sealed record OutputComparison(
    double RelativeError, double Cosine, double MaximumError, double RunsPerSecondBefore, double RunsPerSecondAfter);
