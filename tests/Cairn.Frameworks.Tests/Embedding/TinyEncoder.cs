using System.Text.Json;
using System.Text.Json.Nodes;
using Cairn.Frameworks.Onnx;
using Cairn.Frameworks.Onnx.Proto;
using Cairn.Frameworks.Tests.Tensors;
using DataType = Cairn.Frameworks.Onnx.Proto.TensorProto.Types.DataType;

namespace Cairn.Frameworks.Tests.Embedding;

/// <summary>
/// A BERT-like encoder that a test can work out: a token's vector is table[id] + types[segment] + the mean of those sums over the text's
/// own
/// tokens, so that a mask that is not kept to shows at once.
/// </summary>
internal sealed class TinyEncoder
{
    public const int Dimensions = 8;

    private static readonly string[] Words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "the", "cat", "sat", "dog", "ran", "##s", "home"];

    private readonly float[] _table = Random(Words.Length * Dimensions, 1);
    private readonly float[] _types = Random(2 * Dimensions, 2);
    private readonly float[] _head = Random(Dimensions, 3);

    /// <summary>Writes a folder as sentence-transformers and Optimum have it.</summary>
    public void Write(string folder, string architecture = "BertModel", string? pooling = null, string modules = "models.Pooling models.Normalize", int length = 64)
    {
        Directory.CreateDirectory(folder);
        var config = new JsonObject
        {
            ["architectures"] = new JsonArray(architecture), ["model_type"] = "bert", ["max_position_embeddings"] = length, ["pad_token_id"] = 0,
        };
        File.WriteAllText(Path.Combine(folder, "config.json"), config.ToJsonString());
        File.WriteAllText(Path.Combine(folder, "tokenizer.json"), Tokenizer().ToJsonString());
        if (modules.Length > 0)
            File.WriteAllText(Path.Combine(folder, "modules.json"), JsonSerializer.Serialize(modules.Split(' ').Select(type => new { type })));
        if (pooling is not null)
        {
            Directory.CreateDirectory(Path.Combine(folder, "1_Pooling"));
            File.WriteAllText(Path.Combine(folder, "1_Pooling", "config.json"), new JsonObject { [pooling] = true }.ToJsonString());
        }

        OnnxFile.Write(Model(architecture.EndsWith("ForSequenceClassification", StringComparison.Ordinal)), Path.Combine(folder, "model.onnx"));
    }

    /// <summary>The vectors of a text's tokens.</summary>
    public float[][] Hidden(int[] ids, int[] types)
    {
        var sums = ids.Select((id, i) => Enumerable.Range(0, Dimensions)
            .Select(d => _table[(id * Dimensions) + d] + _types[(types[i] * Dimensions) + d]).ToArray()).ToArray();
        var mean = Enumerable.Range(0, Dimensions).Select(d => sums.Sum(row => row[d]) / ids.Length).ToArray();
        return [.. sums.Select(row => row.Zip(mean, (a, b) => a + b).ToArray())];
    }

    /// <summary>The reranker's score.</summary>
    public float Score(int[] ids, int[] types)
    {
        var hidden = Hidden(ids, types);
        var logit = Enumerable.Range(0, Dimensions).Sum(d => hidden.Average(row => row[d]) / 2 * _head[d]);
        return 1 / (1 + MathF.Exp(-logit));
    }

    public static int[] Ids(string text) => [2, .. Pieces(text), 3];

    public static int[] Pieces(string text) =>
        [.. text.Split(' ').SelectMany(word => word.EndsWith('s') && Array.IndexOf(Words, word[..^1]) is >= 4 and var stem
            ? new[] { stem, Array.IndexOf(Words, "##s") }
            : [Array.IndexOf(Words, word) is >= 4 and var whole ? whole : 1])];

    private ModelProto Model(bool ranks)
    {
        var model = OnnxModels.New();
        var graph = model.Graph;
        graph.Initializer.Add(OnnxModels.Floats("table", [Words.Length, Dimensions], _table));
        graph.Initializer.Add(OnnxModels.Floats("types", [2, Dimensions], _types));
        graph.Initializer.Add(OnnxModels.Floats("head", [Dimensions, 1], _head));
        graph.Initializer.Add(OnnxModels.Floats("half", [], [0.5f]));
        graph.Initializer.Add(Longs("last", 2));
        graph.Initializer.Add(Longs("tokens", 1));
        Node("Gather", "e", "table", "input_ids");
        Node("Gather", "t", "types", "token_type_ids");
        Node("Add", "h", "e", "t");
        Node("Cast", "m", "attention_mask").Attribute.Add(new AttributeProto { Name = "to", Type = AttributeProto.Types.AttributeType.Int, I = (long)DataType.Float });
        Node("Unsqueeze", "mask", "m", "last");
        Node("Mul", "masked", "h", "mask");
        Node("ReduceSum", "sum", "masked", "tokens");
        Node("ReduceSum", "count", "mask", "tokens");
        Node("Div", "mean", "sum", "count");
        foreach (var name in new[] { "input_ids", "attention_mask", "token_type_ids" })
            graph.Input.Add(OnnxModels.Value(name, DataType.Int64, "batch", "sequence"));
        if (ranks)
        {
            // The mean over the answer is the mean twice over; a half takes it back.
            Node("Mul", "halved", "mean", "half");
            Node("Add", "twice", "halved", "halved");
            Node("MatMul", "scored", "twice", "head");
            Node("Squeeze", "logits", "scored", "tokens");
            graph.Output.Add(OnnxModels.Value("logits", DataType.Float, "batch", 1));
        }
        else
        {
            Node("Add", "last_hidden_state", "h", "mean");
            graph.Output.Add(OnnxModels.Value("last_hidden_state", DataType.Float, "batch", "sequence", Dimensions));
        }

        return model;

        NodeProto Node(string op, string output, params string[] inputs)
        {
            graph.Node.Add(new NodeProto { OpType = op, Input = { inputs }, Output = { output } });
            return graph.Node[^1];
        }
    }

    private static TensorProto Longs(string name, long value) =>
        new() { Name = name, DataType = (int)DataType.Int64, Dims = { 1 }, Int64Data = { value } };

    private static float[] Random(int count, int seed)
    {
        var random = new Random(seed);
        return [.. Enumerable.Range(0, count).Select(_ => (random.NextSingle() * 2) - 1)];
    }

    private static JsonObject Tokenizer()
    {
        var vocabulary = new JsonObject();
        foreach (var (word, id) in Words.Select((word, id) => (word, id)))
            vocabulary[word] = id;
        return new JsonObject
        {
            ["version"] = "1.0",
            ["added_tokens"] = new JsonArray([.. Words.Take(4).Select((word, id) => (JsonNode)new JsonObject
            {
                ["id"] = id, ["content"] = word, ["single_word"] = false, ["lstrip"] = false, ["rstrip"] = false, ["normalized"] = false, ["special"] = true,
            })]),
            ["normalizer"] = new JsonObject
            {
                ["type"] = "BertNormalizer", ["clean_text"] = true, ["handle_chinese_chars"] = true, ["strip_accents"] = null, ["lowercase"] = true,
            },
            ["pre_tokenizer"] = new JsonObject { ["type"] = "BertPreTokenizer" },
            ["post_processor"] = new JsonObject
            {
                ["type"] = "TemplateProcessing",
                ["single"] = new JsonArray(Special("[CLS]", 0), Sequence("A", 0), Special("[SEP]", 0)),
                ["pair"] = new JsonArray(Special("[CLS]", 0), Sequence("A", 0), Special("[SEP]", 0), Sequence("B", 1), Special("[SEP]", 1)),
                ["special_tokens"] = new JsonObject { ["[CLS]"] = Named("[CLS]", 2), ["[SEP]"] = Named("[SEP]", 3) },
            },
            ["decoder"] = new JsonObject { ["type"] = "WordPiece", ["prefix"] = "##", ["cleanup"] = true },
            ["model"] = new JsonObject
            {
                ["type"] = "WordPiece", ["unk_token"] = "[UNK]", ["continuing_subword_prefix"] = "##", ["max_input_chars_per_word"] = 100, ["vocab"] = vocabulary,
            },
        };

        static JsonNode Special(string id, int type) => new JsonObject { ["SpecialToken"] = new JsonObject { ["id"] = id, ["type_id"] = type } };
        static JsonNode Sequence(string id, int type) => new JsonObject { ["Sequence"] = new JsonObject { ["id"] = id, ["type_id"] = type } };
        static JsonNode Named(string id, int number) => new JsonObject { ["id"] = id, ["ids"] = new JsonArray(number), ["tokens"] = new JsonArray(id) };
    }
}
