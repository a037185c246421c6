using System.Text.Json;
using Cairn.Frameworks.Onnx;
using Cairn.Frameworks.Onnx.Decoders;
using Cairn.Frameworks.Onnx.Proto;

namespace Cairn.Frameworks.Gguf;

/// <summary>
/// Turns a folder in onnxruntime-genai's layout, with floating weights and Hugging Face's <c>config.json</c> beside them, into one file for
/// llama.cpp.
/// </summary>
internal static class LlamaFolder
{
    /// <summary>Writes the model of the folder; a file that is there already is replaced.</summary>
    /// <exception cref="OnnxFormatException">The graph lacks a weight, or keeps it in another shape or type than a Llama does.</exception>
    /// <exception cref="NotSupportedException">The model is no Llama, or its tokenizer is not byte-level.</exception>
    internal static void Convert(string folder, string path, GgufType type, CancellationToken cancellationToken = default)
    {
        var shape = ReadShape(folder);
        var model = Path.Combine(folder, "model.onnx");
        using var reader = new TensorReader(model);
        var tensors = OnnxFile.Read(model).Graph.Initializer.ToDictionary(t => t.Name, StringComparer.Ordinal);
        LlamaGguf.Write(path, shape, Weights, GgufVocabulary.Read(folder, shape.Vocabulary), type, cancellationToken);

        float[] Weights(string name, int rows, int columns) => ReadWeight(model, tensors, reader, name, rows, columns);
    }

    private static DecoderShape ReadShape(string folder)
    {
        var path = Path.Combine(folder, "config.json");
        using var document = JsonDocument.Parse(File.ReadAllBytes(path));
        var config = document.RootElement;
        if (config.GetProperty("model_type").GetString() is not "llama" and var other)
            throw new NotSupportedException($"{path} says model_type {other}; only llama can be written as GGUF.");
        return new DecoderShape
        {
            Vocabulary = Number("vocab_size"),
            Hidden = Number("hidden_size"),
            Layers = Number("num_hidden_layers"),
            Heads = Number("num_attention_heads"),
            KeyValueHeads = Number("num_key_value_heads"),
            HeadSize = Number("head_dim"),
            Intermediate = Number("intermediate_size"),
            Context = Number("max_position_embeddings"),
            RopeTheta = config.GetProperty("rope_theta").GetSingle(),
            NormEpsilon = config.GetProperty("rms_norm_eps").GetSingle(),
            TiedEmbeddings = config.GetProperty("tie_word_embeddings").GetBoolean(),
        };

        int Number(string name) => config.GetProperty(name).GetInt32();
    }

    private static float[] ReadWeight(
        string model, Dictionary<string, TensorProto> tensors, TensorReader reader, string name, int rows, int columns)
    {
        if (!tensors.TryGetValue(name, out var tensor) && !tensors.TryGetValue(BuilderName(name), out tensor))
            throw new OnnxFormatException($"{model}: no tensor is named '{name}' or '{BuilderName(name)}'");
        // A MatMul's weight lies with its inputs as rows; the embedding, which is gathered from, with its outputs.
        var turned = rows > 1 && name != WeightNames.Embedding;
        long[] expected = rows == 1 ? [columns] : turned ? [columns, rows] : [rows, columns];
        if (!TensorReader.IsFloating(tensor) || !tensor.Dims.SequenceEqual(expected))
            throw new OnnxFormatException(
                $"{model}: tensor '{tensor.Name}' is {TensorTypes.Name(tensor)} {TensorTypes.Shape(tensor)}; "
                + $"floats [{string.Join(", ", expected)}] are expected");
        var values = new float[rows * columns];
        reader.ReadFloats(tensor, 0, values);
        return turned ? Turn(values, columns, rows) : values;
    }

    /// <summary>What onnxruntime-genai's model builder calls it, where that is not the checkpoint's name.</summary>
    private static string BuilderName(string name) =>
        name.Replace(".self_attn.", ".attn.", StringComparison.Ordinal).Replace(".weight", ".MatMul.weight", StringComparison.Ordinal);

    private static float[] Turn(float[] values, int rows, int columns)
    {
        var turned = new float[values.Length];
        for (var row = 0; row < rows; row++)
        {
            for (var column = 0; column < columns; column++)
                turned[(column * rows) + row] = values[(row * columns) + column];
        }

        return turned;
    }
}
