namespace Cairn.Frameworks.ModelCatalog;

public enum ModelKind
{
    TextGeneration,
    Embedding,
    Reranker,
}

/// <summary>What a licence lets a company do. A summary for sorting, never legal advice: the licence's own text holds.</summary>
public enum CommercialUse
{
    Yes,

    /// <summary>With conditions, such as a limit on users, an acceptable-use policy or naming the model.</summary>
    Conditional,
    No,
}

/// <summary>Where <see cref="OpenModel.Parameters"/> comes from.</summary>
public enum ParameterSource
{
    /// <summary>The sum of the published weight files' tensors; the shape gives the same number to the last parameter.</summary>
    Weights,

    /// <summary>The publisher's rounded figure; the shape gives it within 1.5 %.</summary>
    Rounded,

    /// <summary>Computed from the shape, because the publisher's figure counts other parts too.</summary>
    Derived,
}

/// <summary>A way in which the publisher itself hands out the weights.</summary>
public enum PublishedFormat
{
    SafetensorsFp32,
    SafetensorsBf16,
    SafetensorsFp16,

    /// <summary>8-bit floating point with scales per tensor, channel or block.</summary>
    SafetensorsFp8,

    /// <summary>4-bit integers with scales per group (AWQ, GPTQ, compressed-tensors).</summary>
    SafetensorsInt4,

    /// <summary>OCP microscaling: 4-bit floats, one 8-bit scale for 32 of them.</summary>
    SafetensorsMxfp4,

    /// <summary>llama.cpp's format, with 4-bit and 8-bit files.</summary>
    Gguf,
    Onnx,
}

/// <summary>One open-weight model: what its weights are, may be used for, and look like inside.</summary>
public sealed record OpenModel
{
    /// <summary>Lower case, such as <c>llama-3.1-8b</c>: the name used on the command line.</summary>
    public required string Name { get; init; }

    /// <summary>The name as its publisher writes it.</summary>
    public required string Title { get; init; }

    public required string Family { get; init; }

    public required string Publisher { get; init; }

    public required ModelKind Kind { get; init; }

    /// <summary>Other models and versions with the very same shape, and so the very same figures.</summary>
    public IReadOnlyList<string> Aliases { get => field ?? []; init; }

    public required DateOnly Released { get; init; }

    /// <summary>An SPDX identifier where there is one, else the licence's own name.</summary>
    public required string License { get; init; }

    public required CommercialUse CommercialUse { get; init; }

    /// <summary>What the publisher hands out; others convert most models to more formats.</summary>
    public required IReadOnlyList<PublishedFormat> Formats { get; init; }

    /// <summary>All parameters, without layers that only help training or speculation (multi-token prediction).</summary>
    public required long Parameters { get; init; }

    public required ParameterSource ParametersFrom { get; init; }

    /// <summary>Of a mixture of experts: what the publisher says is used per token, rounded. Null where all are.</summary>
    public long? ActiveParameters { get; init; }

    /// <summary>
    /// The path of the publisher's repository on the Hugging Face hub, whose <c>config.json</c> and model card give the figures.
    /// </summary>
    public required string Source { get; init; }

    public required ModelShape Shape { get; init; }
}
