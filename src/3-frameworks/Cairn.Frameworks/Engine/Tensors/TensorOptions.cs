namespace Cairn.Frameworks.Engine.Tensors;

/// <summary>Where the engine finds ONNX models of any kind, and how it serves them.</summary>
public sealed class TensorOptions
{
    /// <summary>
    /// Folders of models (<c>MODEL/VERSION/model.onnx</c>, with or without <c>config.pbtxt</c>), folders with one <c>model.onnx</c>, or ONNX
    /// files. A name that two of them have is the first one's.
    /// </summary>
    public IList<string> Repositories { get; } = [];

    /// <summary>Loads nothing at the start but <see cref="LoadAtStart"/>; the rest comes by the repository's load call. Default: everything is loaded.</summary>
    public bool LoadsOnDemand { get; set; }

    /// <summary>Names to load at the start where <see cref="LoadsOnDemand"/> is set.</summary>
    public IList<string> LoadAtStart { get; } = [];

    /// <summary>Whether load and unload calls are taken. Default true; without it they are refused, and the models are those of the start.</summary>
    public bool AllowsControl { get; set; } = true;

    /// <summary>Rows of the largest batch of a model whose configuration does not say; 1 to 4,096, default 64. 0 leaves such models unbatched.</summary>
    public int DefaultBatch { get; set; } = 64;

    /// <summary>Threads of one execution; default the machine's processors. More than there are makes it slower.</summary>
    public int Threads { get; set; } = Environment.ProcessorCount;

    /// <summary>Requests that may wait at one version where its configuration sets no <c>max_queue_size</c>; one more is refused. Default 4,096.</summary>
    public int QueueLimit { get; set; } = 4096;

    /// <summary>Bytes of a request's body, before and after decompression; default 256 MiB. A larger one is refused with 413.</summary>
    public int BodyBytesLimit { get; set; } = 256 << 20;

    /// <exception cref="ArgumentException">A value is out of its range.</exception>
    internal void Validate()
    {
        if (DefaultBatch is < 0 or > 4096)
            throw new ArgumentException($"TensorOptions.DefaultBatch is {DefaultBatch}; 0 to 4096 is expected");
        if (Threads is < 1 or > 1024)
            throw new ArgumentException($"TensorOptions.Threads is {Threads}; 1 to 1024 is expected");
        if (QueueLimit < 1)
            throw new ArgumentException($"TensorOptions.QueueLimit is {QueueLimit}; 1 or more is expected");
        if (BodyBytesLimit < 1024)
            throw new ArgumentException($"TensorOptions.BodyBytesLimit is {BodyBytesLimit}; 1024 or more is expected");
    }
}
