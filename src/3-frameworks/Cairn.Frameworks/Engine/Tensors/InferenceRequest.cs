namespace Cairn.Frameworks.Engine.Tensors;

/// <summary>What is asked of a model's version.</summary>
internal sealed record InferenceRequest
{
    /// <summary>In the model's own order of inputs, without those that were left out; checked by <see cref="RequestCheck"/>.</summary>
    public required Tensor[] Inputs { get; init; }

    /// <summary>Names of the outputs that are wanted; empty wants all.</summary>
    public IReadOnlyList<string> Outputs { get; init; } = [];

    /// <summary>1 is served first; 0 takes the model's default.</summary>
    public ulong Priority { get; init; }

    /// <summary>How long it may wait in the queue, microseconds; 0 takes the model's default.</summary>
    public ulong TimeoutMicroseconds { get; init; }
}

/// <summary>A model's version answered, or why it did not.</summary>
internal readonly record struct InferenceAnswer(Tensor[]? Outputs, Refusal? Refusal)
{
    public static InferenceAnswer Of(Tensor[] outputs) => new(outputs, null);

    public static InferenceAnswer No(RefusalKind kind, string message) => new(null, new(kind, message));
}
