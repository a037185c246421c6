using System.Buffers;
using System.Buffers.Binary;
using System.Runtime.InteropServices;
using Microsoft.ML.OnnxRuntime;

namespace Cairn.Frameworks.Engine.Tensors;

/// <summary>A tensor that a graph takes or gives.</summary>
/// <param name="Shape">-1 where any size is taken.</param>
/// <param name="Symbols">The graph's names of its variable dimensions, empty where it has none.</param>
/// <param name="IsMapSequence">A classifier's list of label → score maps, served as one FP32 matrix with a column per label.</param>
internal sealed record TensorSlot(string Name, TensorType Type, long[] Shape, string[] Symbols, bool IsMapSequence = false);

/// <summary>How a graph is run.</summary>
/// <param name="Threads">Threads of one execution.</param>
/// <param name="Arena">Whether activations come from a pool that keeps its size between executions; faster for large graphs.</param>
internal sealed record SessionSettings(int Threads, GraphOptimizationLevel Optimization, bool Arena);

/// <summary>An ONNX graph in ONNX Runtime. Executions may overlap.</summary>
internal sealed class TensorSession : IDisposable
{
    // An empty tensor has no memory, and ONNX Runtime takes no null pointer.
    private static readonly nint Nothing = Marshal.AllocHGlobal(64);

    private readonly InferenceSession _session;
    private readonly RunOptions _options = new();

    private TensorSession(InferenceSession session)
    {
        _session = session;
        Inputs = [.. session.InputMetadata.Select(pair => Slot(pair.Key, pair.Value))];
        Outputs = [.. session.OutputMetadata.Where(pair => Servable(pair.Value)).Select(pair => Slot(pair.Key, pair.Value))];
        if (Outputs.Count == 0)
            throw new ModelLoadException("none of the graph's outputs is a tensor");
    }

    public IReadOnlyList<TensorSlot> Inputs { get; }

    /// <summary>The outputs that are tensors or can be told as one.</summary>
    public IReadOnlyList<TensorSlot> Outputs { get; }

    /// <exception cref="ModelLoadException">The file is missing, corrupt, or asks for what ONNX Runtime does not have.</exception>
    public static TensorSession Load(string path, SessionSettings settings)
    {
        using var options = new SessionOptions
        {
            IntraOpNumThreads = settings.Threads,
            InterOpNumThreads = 1,
            ExecutionMode = ExecutionMode.ORT_SEQUENTIAL,
            GraphOptimizationLevel = settings.Optimization,
            EnableCpuMemArena = settings.Arena,
            // Patterns are kept per input shape and never dropped; with shapes of every size they only grow.
            EnableMemoryPattern = false,
            LogSeverityLevel = OrtLoggingLevel.ORT_LOGGING_LEVEL_FATAL,
        };
        // Spinning threads take the cores from the web host that feeds them.
        options.AddSessionConfigEntry("session.intra_op.allow_spinning", "0");
        InferenceSession? session = null;
        try
        {
            session = new InferenceSession(path, options);
            return new(session);
        }
        catch (Exception failure) when (failure is OnnxRuntimeException or IOException or ModelLoadException or NotSupportedException)
        {
            session?.Dispose();
            throw new ModelLoadException($"{path} cannot be loaded: {failure.Message}", failure);
        }
    }

    /// <summary>Runs the graph once. The outputs come in the order of <paramref name="outputs"/>.</summary>
    /// <exception cref="OnnxRuntimeException">The graph failed on these inputs.</exception>
    public Tensor[] Run(ReadOnlySpan<Tensor> inputs, IReadOnlyList<TensorSlot> outputs)
    {
        var values = new OrtValue?[inputs.Length];
        var pins = new MemoryHandle[inputs.Length];
        var names = new string[inputs.Length];
        try
        {
            for (var i = 0; i < inputs.Length; i++)
            {
                names[i] = inputs[i].Name;
                values[i] = Bind(inputs[i], out pins[i]);
            }

            using var results = _session.Run(_options, names, values!, [.. outputs.Select(slot => slot.Name)]);
            var answer = new Tensor[outputs.Count];
            for (var i = 0; i < answer.Length; i++)
                answer[i] = outputs[i].IsMapSequence ? MapSequence.Read(results[i], outputs[i].Name) : Read(results[i], outputs[i].Name);
            return answer;
        }
        finally
        {
            foreach (var value in values)
                value?.Dispose();
            foreach (var pin in pins)
                pin.Dispose();
        }
    }

    public void Dispose()
    {
        _session.Dispose();
        _options.Dispose();
    }

    private static unsafe OrtValue Bind(Tensor tensor, out MemoryHandle pin)
    {
        pin = default;
        if (tensor.Type != TensorType.Bytes)
        {
            pin = tensor.Data.Pin();
            var pointer = pin.Pointer is null ? Nothing : (nint)pin.Pointer;
            return OrtValue.CreateTensorValueWithData(
                OrtMemoryInfo.DefaultInstance, tensor.Type.Onnx(), tensor.Shape, pointer, tensor.Data.Length);
        }

        var strings = OrtValue.CreateTensorWithEmptyStrings(OrtAllocator.DefaultInstance, tensor.Shape);
        var data = tensor.Data.Span;
        var offset = 0;
        for (var i = 0; offset < data.Length; i++)
        {
            var next = TensorContents.NextString(data, offset, tensor.Name);
            strings.StringTensorSetElementAt(data[(offset + 4)..next], i);
            offset = next;
        }

        return strings;
    }

    private static Tensor Read(OrtValue value, string name)
    {
        var info = value.GetTensorTypeAndShape();
        var type = TensorTypes.From(info.ElementDataType)
            ?? throw new NotSupportedException(
                $"output '{name}' has the element type {info.ElementDataType}, which the protocol does not know");
        if (type != TensorType.Bytes)
            return new(name, type, info.Shape, value.GetTensorMutableRawData().ToArray());
        var writer = new ArrayBufferWriter<byte>();
        for (var i = 0; i < info.ElementCount; i++)
        {
            var element = value.GetStringElementAsSpan(i);
            BinaryPrimitives.WriteUInt32LittleEndian(writer.GetSpan(4), (uint)element.Length);
            writer.Advance(4);
            writer.Write(element);
        }

        return new(name, type, info.Shape, writer.WrittenMemory);
    }

    private static bool Servable(NodeMetadata node) =>
        node.OnnxValueType == OnnxValueType.ONNX_TYPE_TENSOR ? TensorTypes.From(node.ElementDataType) is not null : MapSequence.Is(node);

    private static TensorSlot Slot(string name, NodeMetadata node)
    {
        if (MapSequence.Is(node))
            return new(name, TensorType.Float32, [-1, -1], ["", ""], IsMapSequence: true);
        if (node.OnnxValueType != OnnxValueType.ONNX_TYPE_TENSOR || TensorTypes.From(node.ElementDataType) is not { } type)
            throw new ModelLoadException($"'{name}' is not a tensor of a type that the protocol knows");
        return new(name, type, [.. node.Dimensions.Select(dimension => (long)dimension)], node.SymbolicDimensions);
    }
}
