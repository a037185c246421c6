using System.Globalization;
using Cairn.Frameworks.Engine.OpenInference.Wire;
using Cairn.Frameworks.Onnx;
using Microsoft.Extensions.Logging;
using Microsoft.ML.OnnxRuntime;

namespace Cairn.Frameworks.Engine.Tensors;

/// <summary>One version of a model, loaded and answering.</summary>
internal sealed class ModelVersion : IAsyncDisposable
{
    private const long ChecksUpTo = 8 << 20;

    private readonly TensorSession _session;
    private readonly DynamicBatcher _batcher;
    private readonly RequestCheck _check;
    private readonly Dictionary<string, long[]> _outputShapes;

    private ModelVersion(long version, ModelConfig config, TensorSession session, long bytes, BatchExecution execution, Serving serving)
    {
        (Version, Config, _session, Bytes) = (version, config, session, bytes);
        (Statistics, Labels) = (serving.Statistics, serving.Labels);
        _check = new RequestCheck(config);
        _outputShapes = config.Output.Where(output => output.Reshape is not null)
            .ToDictionary(output => output.Name, output => output.Dims.ToArray(), StringComparer.Ordinal);
        var instances = config.InstanceGroup.Sum(group => group.Count);
        var policy = BatchingPolicy.From(config, serving.QueueLimit);
        _batcher = new DynamicBatcher(execution, policy, instances, serving.Statistics, serving.Time);
    }

    public long Version { get; }

    public string VersionText => field ??= Version.ToString(CultureInfo.InvariantCulture);

    /// <summary>Complete: what the person wrote, filled from the graph.</summary>
    public ModelConfig Config { get; }

    public string Name => Config.Name;

    public VersionStatistics Statistics { get; }

    /// <summary>The model's files, bytes.</summary>
    public long Bytes { get; }

    /// <summary>Lines of an output's label file.</summary>
    public IReadOnlyDictionary<string, string[]> Labels { get; }

    /// <exception cref="ModelLoadException">The file or its configuration cannot be used.</exception>
    public static ModelVersion Load(
        ModelFolder folder, (long Version, string File) at, WrittenConfig written, TensorOptions options,
        (TimeProvider Time, ILogger Logger) services)
    {
        var (time, logger) = services;
        CheckFile(at.File);
        var session = TensorSession.Load(at.File, Settings(written.Config, options));
        try
        {
            var config = ModelConfigCompletion.Complete(folder.Name, written, session.Inputs, session.Outputs, options.DefaultBatch);
            WarmUp.Run(config, folder.Folder, session);
            var serving = new Serving(new VersionStatistics(time), ReadLabels(config, folder.Folder), options.QueueLimit, time);
            TensorSlot[] outputs = [.. config.Output.Select(output => session.Outputs.First(slot => slot.Name == output.Name))];
            var execution = new BatchExecution(folder.Name, session, outputs, serving.Statistics, time, logger);
            return new(at.Version, config, session, FileBytes(at.File), execution, serving);
        }
        catch
        {
            session.Dispose();
            throw;
        }
    }

    /// <summary>Checks, queues and runs a request. Its memory may be reused when the task has ended.</summary>
    /// <exception cref="RefusedException">The request does not fit the model.</exception>
    public async Task<InferenceAnswer> InferAsync(
        IReadOnlyList<Tensor> inputs, IReadOnlyList<string> outputs, ulong priority, ulong timeoutMicroseconds,
        CancellationToken cancellationToken)
    {
        var (arranged, rows) = _check.Arrange(inputs);
        _check.Outputs(outputs);
        var request = new InferenceRequest
        {
            Inputs = arranged, Outputs = outputs, Priority = priority, TimeoutMicroseconds = timeoutMicroseconds,
        };
        var answer = await _batcher.InferAsync(request, rows, cancellationToken);
        return answer.Outputs is null || _outputShapes.Count == 0 ? answer : InferenceAnswer.Of([.. answer.Outputs.Select(Reshape)]);
    }

    /// <summary>Answers what is queued, then gives all memory back.</summary>
    public async ValueTask DisposeAsync()
    {
        await _batcher.DisposeAsync();
        _session.Dispose();
    }

    private Tensor Reshape(Tensor output) => _outputShapes.TryGetValue(output.Name, out var shape)
        ? output with { Shape = RequestCheck.Reshape(output.Shape, Config.MaxBatchSize > 0 ? 1 : 0, shape, output.Name) }
        : output;

    /// <summary>Finds what is missing or cut off before native code does, whose message would not say which file.</summary>
    private static void CheckFile(string file)
    {
        // A larger file has its weights inside; reading them twice would only cost memory, and a cut there shows at once.
        if (new FileInfo(file) is { Exists: true, Length: > ChecksUpTo })
            return;
        try
        {
            OnnxFile.CheckExternalData(OnnxFile.Read(file), file);
        }
        catch (OnnxFormatException failure)
        {
            throw new ModelLoadException(failure.Message, failure);
        }
    }

    private static SessionSettings Settings(ModelConfig config, TensorOptions options)
    {
        var threads = Number(config, "intra_op_thread_count") ?? options.Threads;
        var level = config.Optimization?.Graph?.Level switch
        {
            null or 0 => GraphOptimizationLevel.ORT_ENABLE_ALL,
            < 0 => GraphOptimizationLevel.ORT_DISABLE_ALL,
            1 => GraphOptimizationLevel.ORT_ENABLE_BASIC,
            _ => GraphOptimizationLevel.ORT_ENABLE_EXTENDED,
        };
        return new(Math.Clamp(threads, 1, 1024), level, Number(config, "enable_mem_arena") != 0);
    }

    private static int? Number(ModelConfig config, string parameter)
    {
        if (!config.Parameters.TryGetValue(parameter, out var value))
            return null;
        return int.TryParse(value.StringValue, NumberStyles.Integer, CultureInfo.InvariantCulture, out var number)
            ? number
            : throw new ModelLoadException($"the parameter '{parameter}' is '{value.StringValue}'; a whole number is expected");
    }

    private static Dictionary<string, string[]> ReadLabels(ModelConfig config, string folder)
    {
        var labels = new Dictionary<string, string[]>(StringComparer.Ordinal);
        foreach (var output in config.Output.Where(output => output.LabelFilename.Length > 0))
        {
            var file = ModelFolder.FileIn(folder, output.LabelFilename);
            labels[output.Name] = File.Exists(file)
                ? File.ReadAllLines(file)
                : throw new ModelLoadException($"{file}, the labels of output '{output.Name}', does not exist");
        }

        return labels;
    }

    /// <summary>The file and what lies beside it with its name as the beginning, which is where exporters put external data.</summary>
    private static long FileBytes(string file) =>
        new DirectoryInfo(Path.GetDirectoryName(file)!).EnumerateFiles(Path.GetFileName(file) + "*").Sum(found => found.Length);

    private sealed record Serving(
        VersionStatistics Statistics, IReadOnlyDictionary<string, string[]> Labels, int QueueLimit, TimeProvider Time);
}
