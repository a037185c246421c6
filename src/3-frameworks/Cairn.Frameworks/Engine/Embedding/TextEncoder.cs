using System.Runtime.InteropServices;
using Cairn.Frameworks.Engine.Decoding;
using Cairn.Frameworks.Engine.Hosting;
using Cairn.Frameworks.Engine.Tensors;
using Cairn.Frameworks.Tokenizing;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.ML.OnnxRuntime;

namespace Cairn.Frameworks.Engine.Embedding;

/// <summary>
/// Runs a BERT-like graph over tokenized texts of all callers. A text is padded to the next of few lengths, and texts of one length share
/// an
/// execution, so that a short text never pays for a long one.
/// </summary>
internal sealed class TextEncoder : IAsyncDisposable
{
    private const int LargestBatch = 32;

    private readonly TensorSession _session;
    private readonly DynamicBatcher _batcher;
    private readonly EncoderFolder _folder;

    // Set where the graph takes one length only.
    private readonly int? _fixedLength;

    private TextEncoder(TensorSession session, EncoderFolder folder, TensorSlot output, string name, TimeProvider time)
    {
        (_session, _folder, Output) = (session, folder, output);
        Tokenizer = Tokenizer.Load(folder.Path);
        _fixedLength = session.Inputs[0].Shape is [_, > 0 and var length] ? (int)length : null;
        var statistics = new VersionStatistics(time);
        var execution = new BatchExecution(name, session, [output], statistics, time, NullLogger.Instance);
        var batches = session.Inputs[0].Shape[0] == -1;
        var policy = new BatchingPolicy { MaximumBatch = batches ? LargestBatch : 1, Combine = batches };
        _batcher = new DynamicBatcher(execution, policy, instances: 1, statistics, time);
    }

    public Tokenizer Tokenizer { get; }

    /// <summary>The output that is read.</summary>
    public TensorSlot Output { get; }

    /// <summary>The most tokens of one input.</summary>
    public int MaximumLength => Math.Min(_folder.MaximumLength, _fixedLength ?? int.MaxValue);

    /// <param name="outputs">Names to look for, the best first.</param>
    /// <exception cref="ModelLoadException">The graph is no encoder, or its tokenizer cannot be read.</exception>
    public static TextEncoder Load(EncoderFolder folder, ModelSource source, ReadOnlySpan<string> outputs, TimeProvider time)
    {
        var settings = new SessionSettings(
            source.Engine.Threads ?? PhysicalCores.Count, GraphOptimizationLevel.ORT_ENABLE_ALL, Arena: true);
        var session = TensorSession.Load(folder.ModelFile, settings);
        try
        {
            CheckInputs(session, folder);
            return new(session, folder, Find(session, folder, outputs), source.Name, time);
        }
        catch (Exception failure) when (failure is TokenizerFormatException or IOException)
        {
            session.Dispose();
            throw new ModelLoadException(failure.Message, failure);
        }
        catch
        {
            session.Dispose();
            throw;
        }
    }

    /// <summary>The output's share for each text: its shape without padding lies in the text's own token count.</summary>
    /// <exception cref="EngineException">The graph failed.</exception>
    /// <exception cref="RequestRefusedException">Too many texts wait.</exception>
    public async Task<Tensor[]> RunAsync(IReadOnlyList<TokenizedText> texts, CancellationToken cancellationToken)
    {
        var calls = texts.Select(text => _batcher.InferAsync(new() { Inputs = Inputs(text) }, 1, cancellationToken)).ToArray();
        var answers = await Task.WhenAll(calls);
        return [.. answers.Select(answer => answer.Refusal switch
        {
            null => answer.Outputs![0],
            { Kind: RefusalKind.QueueFull or RefusalKind.Unavailable } busy =>
                throw new RequestRefusedException(RequestRefusal.QueueFull, busy.Message),
            { } failure => throw new EngineException(failure.Message),
        })];
    }

    /// <summary>An output's numbers as singles.</summary>
    public static ReadOnlySpan<float> Floats(Tensor tensor) => tensor.Type switch
    {
        TensorType.Float32 => MemoryMarshal.Cast<byte, float>(tensor.Data.Span),
        _ => MemoryMarshal.Cast<byte, Half>(tensor.Data.Span).ToArray().Select(value => (float)value).ToArray(),
    };

    public async ValueTask DisposeAsync()
    {
        await _batcher.DisposeAsync();
        _session.Dispose();
        HeapTrim.Run();
    }

    /// <summary>Lengths at which texts meet: steps of 16 to 64, then quarters of a power of two, so padding stays below a fourth.</summary>
    internal static int PaddedLength(int tokens)
    {
        if (tokens <= 64)
            return Math.Max((tokens + 15) / 16 * 16, 16);
        var step = (int)System.Numerics.BitOperations.RoundUpToPowerOf2((uint)tokens) / 8;
        return (tokens + step - 1) / step * step;
    }

    private Tensor[] Inputs(TokenizedText text)
    {
        var length = _fixedLength ?? Math.Min(PaddedLength(text.Ids.Length), Math.Max(MaximumLength, text.Ids.Length));
        return [.. _session.Inputs.Select(slot => slot.Name switch
        {
            "input_ids" => Numbers(slot, length, i => i < text.Ids.Length ? text.Ids[i] : _folder.PadToken),
            "attention_mask" => Numbers(slot, length, i => i < text.Ids.Length ? 1 : 0),
            "token_type_ids" => Numbers(slot, length, i => i < text.TypeIds.Length ? text.TypeIds[i] : 0),
            _ => Numbers(slot, length, i => i),
        })];
    }

    private static Tensor Numbers(TensorSlot slot, int length, Func<int, int> at)
    {
        var data = new byte[length * slot.Type.Size()];
        if (slot.Type == TensorType.Int64)
            for (var i = 0; i < length; i++)
                MemoryMarshal.Cast<byte, long>(data.AsSpan())[i] = at(i);
        else
            for (var i = 0; i < length; i++)
                MemoryMarshal.Cast<byte, int>(data.AsSpan())[i] = at(i);
        return new(slot.Name, slot.Type, [1, length], data);
    }

    private static void CheckInputs(TensorSession session, EncoderFolder folder)
    {
        if (!session.Inputs.Any(slot => slot.Name == "input_ids"))
            throw new ModelLoadException($"{folder.ModelFile}: has no input 'input_ids', so it is no encoder of text");
        foreach (var slot in session.Inputs)
            if (slot.Name is not ("input_ids" or "attention_mask" or "token_type_ids" or "position_ids")
                || slot.Type is not (TensorType.Int64 or TensorType.Int32) || slot.Shape.Length != 2)
                throw new ModelLoadException(
                    $"{folder.ModelFile}: wants the input '{slot.Name}' ({slot.Type.Name()}, {TensorContents.Show(slot.Shape)}); "
                    + "known are input_ids, "
                    + "attention_mask, token_type_ids and position_ids of whole numbers, batch by sequence");
    }

    private static TensorSlot Find(TensorSession session, EncoderFolder folder, ReadOnlySpan<string> outputs)
    {
        foreach (var name in outputs)
            if (session.Outputs.FirstOrDefault(slot => slot.Name == name) is { Type: TensorType.Float32 or TensorType.Float16 } found)
                return found;
        throw new ModelLoadException(
            $"{folder.ModelFile}: has none of the outputs {string.Join(", ", outputs.ToArray())} of FP32 or FP16; "
            + $"it has {string.Join(", ", session.Outputs.Select(slot => slot.Name).Take(12))}");
    }
}
