using Cairn.Frameworks.Engine.Tensors;

namespace Cairn.Frameworks.Engine.OpenInference;

/// <summary>An output that a call asks for.</summary>
/// <param name="Binary">Null takes the call's default.</param>
/// <param name="Classes">Above 0 the answer is the highest so many classes instead of the tensor.</param>
internal sealed record RequestedOutput(string Name, bool? Binary, int Classes);

/// <summary>An inference request as read from the wire, before it is held against a model.</summary>
internal sealed record InferCall
{
    public string? Id { get; init; }

    public required IReadOnlyList<Tensor> Inputs { get; init; }

    public IReadOnlyList<RequestedOutput> Outputs { get; init; } = [];

    /// <summary>Whether outputs go behind the JSON as bytes where they do not say.</summary>
    public bool BinaryOutput { get; init; }

    public ulong Priority { get; init; }

    public ulong TimeoutMicroseconds { get; init; }

    public InferenceRequest Request() => new()
    {
        Inputs = Inputs as Tensor[] ?? [.. Inputs],
        Outputs = Outputs.Count == 0 ? [] : [.. Outputs.Select(output => output.Name)],
        Priority = Priority,
        TimeoutMicroseconds = TimeoutMicroseconds,
    };

    public RequestedOutput? Find(string output)
    {
        foreach (var requested in Outputs)
            if (requested.Name == output)
                return requested;
        return null;
    }
}
