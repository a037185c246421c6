namespace Cairn.Frameworks.Engine.Tensors;

/// <summary>Where the engine finds ONNX models of any kind, and how it serves them.</summary>
public sealed class TensorOptions
{
    /// <summary>
    /// Folders of models (<c>MODEL/VERSION/model.onnx</c>, with or without <c>config.pbtxt</c>), folders with one <c>model.onnx</c>, or
    /// ONNX
    /// files. A name that two of them have is the first one's.
    /// </summary>
    public IList<string> Repositories { get; } = [];

    /// <summary>
    /// Loads nothing at the start but <see cref="LoadAtStart"/>; the rest comes by the repository's load call. Default: everything is
    /// loaded.
    /// </summary>
    public bool LoadsOnDemand { get; set; }

    /// <summary>Names to load at the start where <see cref="LoadsOnDemand"/> is set.</summary>
    public IList<string> LoadAtStart { get; } = [];

    /// <summary>
    /// Whether load and unload calls are taken. Default true; without it they are refused, and the models are those of the start.
    /// </summary>
    public bool AllowsControl { get; set; } = true;

    /// <summary>
    /// Rows of the largest batch of a model whose configuration does not say; 1 to 4,096, default 64. 0 leaves such models unbatched.
    /// </summary>
    public int DefaultBatch { get; set; } = 64;

    /// <summary>Threads of one execution; default the machine's processors. More than there are makes it slower.</summary>
    public int Threads { get; set; } = Environment.ProcessorCount;

    /// <summary>
    /// Requests that may wait at one version where its configuration sets no <c>max_queue_size</c>; one more is refused. Default 4,096.
    /// </summary>
    public int QueueLimit { get; set; } = 4096;

    /// <summary>Bytes of a request's body, before and after decompression; default 256 MiB. A larger one is refused with 413.</summary>
    public int BodyBytesLimit { get; set; } = 256 << 20;

    /// <summary>Everything that is wrong with these options, one sentence each; empty when they are good.</summary>
    public IReadOnlyList<string> Problems()
    {
        var problems = new List<string>();
        Check(nameof(DefaultBatch), DefaultBatch, 0, 4096);
        Check(nameof(Threads), Threads, 1, 1024);
        Check(nameof(QueueLimit), QueueLimit, 1, 1_000_000);
        Check(nameof(BodyBytesLimit), BodyBytesLimit, 1024, int.MaxValue);
        foreach (var path in Repositories)
            if (!Path.Exists(path))
                problems.Add($"Tensors: there is no {path}; a folder of models or an ONNX file is expected.");
        return problems;

        void Check(string name, long value, long least, long most)
        {
            if (value < least || value > most)
                problems.Add($"Tensors: {name} is {value}; expected {least} to {most}.");
        }
    }
}
