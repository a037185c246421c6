using Cairn.Frameworks.Engine;
using Cairn.Frameworks.Onnx;
using Cairn.Frameworks.Onnx.Decoders;
using Cairn.Frameworks.Onnx.Proto;
using Google.Protobuf;

namespace Cairn.Frameworks.Tests.Engine;

public sealed class Loading_models
{
    [Theory]
    [InlineData("Genai", "Float32")]
    [InlineData("Genai", "Float16")]
    [InlineData("Genai", "Int8")]
    [InlineData("Genai", "Int4")]
    [InlineData("Community", "Float32")]
    [InlineData("Community", "Float16")]
    [InlineData("Community", "Int8")]
    [InlineData("Community", "Int4")]
    public async Task Every_layout_and_precision_generates_together_and_alone_the_same(string layout, string precision)
    {
        using var model = new TinyModel(Enum.Parse<DecoderLayout>(layout), Enum.Parse<DecoderPrecision>(precision));
        await using var engine = model.Load();
        Assert.Equal((256, 257), (engine.ContextLength, engine.EndTokens.Single()));
        var requests = Enumerable.Range(0, 3).Select(i => TinyModel.Greedy(TinyModel.Prompt(i, 10 + 9 * i), 12)).ToList();
        var together = await Task.WhenAll(requests.Select(r => TinyModel.RunAsync(engine, r)));
        Assert.Contains(together, t => t.Tokens.Select(s => s.Token).Distinct().Count() > 3);
        if (precision != "Float32")
            return; // what is rounded to halves or bytes may round otherwise in another batch
        for (var i = 0; i < requests.Count; i++)
            Assert.Equal(
                (await TinyModel.RunAsync(engine, requests[i])).Tokens.Select(t => t.Token), together[i].Tokens.Select(t => t.Token));
    }

    [Fact]
    public async Task Both_layouts_of_the_same_weights_say_the_same()
    {
        using var genai = new TinyModel();
        using var community = new TinyModel(DecoderLayout.Community);
        await using var one = genai.Load();
        await using var other = community.Load();
        for (var seed = 0; seed < 5; seed++)
        {
            var request = TinyModel.Greedy(TinyModel.Prompt(seed, 30), 20);
            var (expected, _) = await TinyModel.RunAsync(one, request);
            var (actual, _) = await TinyModel.RunAsync(other, request);
            Assert.Equal(expected.Select(t => t.Token), actual.Select(t => t.Token));
        }
    }

    /// <summary>The input with a value of its own, as made graphs have it; one that must be given, as onnx-community's exports have it.</summary>
    [Theory]
    [InlineData("Genai", false)]
    [InlineData("Genai", true)]
    [InlineData("Community", false)]
    [InlineData("Community", true)]
    public async Task A_graph_that_gives_only_the_logits_it_is_asked_for_says_the_same(string layout, bool must)
    {
        using var whole = new TinyModel(Enum.Parse<DecoderLayout>(layout));
        using var pruned = new TinyModel(Enum.Parse<DecoderLayout>(layout));
        ChangeKeptLogits(whole.File, keep => keep.RawData = ByteString.CopyFrom(new byte[8]));
        if (must)
            ChangeKeptLogits(pruned.File, null);
        await using var one = whole.Load();
        await using var other = pruned.Load();
        for (var seed = 0; seed < 4; seed++)
        {
            var request = TinyModel.Greedy(TinyModel.Prompt(seed, 40), 20);
            var (expected, _) = await TinyModel.RunAsync(one, request);
            var (actual, _) = await TinyModel.RunAsync(other, request);
            Assert.Equal(expected.Select(t => t.Token), actual.Select(t => t.Token));
        }
    }

    /// <summary>Another value of <c>num_logits_to_keep</c> where none is given, or none.</summary>
    private static void ChangeKeptLogits(string path, Action<TensorProto>? change)
    {
        var model = OnnxFile.Read(path);
        var keep = model.Graph.Initializer.Single(tensor => tensor.Name == "num_logits_to_keep");
        if (change is null)
            model.Graph.Initializer.Remove(keep);
        else
            change(keep);
        OnnxFile.Write(model, path);
    }

    [Fact]
    public void A_folder_that_is_not_there_or_empty_is_named()
    {
        Fails("/nowhere/at/all", "/nowhere/at/all");
        var empty = Directory.CreateTempSubdirectory("cairn-engine-").FullName;
        Fails(empty, "tokenizer.json");
        Directory.Delete(empty);
    }

    [Fact]
    public void A_missing_tokenizer_is_named() => FailsWithout("tokenizer.json", "tokenizer.json");

    [Fact]
    public void A_missing_graph_is_named() => FailsWithout("model.onnx", "model.onnx");

    [Fact]
    public void A_missing_config_is_named() => FailsWithout("genai_config.json", "genai_config.json");

    [Fact]
    public void A_truncated_graph_is_refused_with_its_name()
    {
        using var model = new TinyModel();
        var bytes = File.ReadAllBytes(model.File);
        foreach (var length in new[] { 0, 1, 100, bytes.Length / 2, bytes.Length - 1 })
        {
            File.WriteAllBytes(model.File, bytes[..length]);
            Fails(model.Folder, "model.onnx");
        }
    }

    [Fact]
    public async Task A_corrupt_graph_is_refused_or_loads_and_never_ends_the_process()
    {
        using var model = new TinyModel();
        var bytes = File.ReadAllBytes(model.File);
        var random = new Random(5);
        for (var i = 0; i < 40; i++)
        {
            var corrupt = bytes.ToArray();
            for (var flips = 0; flips < 20; flips++)
                corrupt[random.Next(Math.Min(corrupt.Length, 20_000))] ^= (byte)(1 << random.Next(8));
            File.WriteAllBytes(model.File, corrupt);
            try
            {
                await model.Load().DisposeAsync();
            }
            catch (ModelLoadException error)
            {
                Assert.Contains("model.onnx", error.Message, StringComparison.Ordinal);
            }
        }
    }

    [Fact]
    public async Task Truncated_external_data_is_told_with_tensor_and_file()
    {
        using var model = new TinyModel();
        DecoderGraph.Write(
            model.File, DecoderShape.Tiny, DecoderLayout.Genai, DecoderPrecision.Float32, RandomWeights.Seeded(1), insideUpTo: 1024);
        await model.Load().DisposeAsync();
        var data = Directory.EnumerateFiles(model.Folder).Single(f =>
             f.StartsWith(model.File, StringComparison.Ordinal) && f != model.File);
        using (var stream = File.OpenWrite(data))
            stream.SetLength(stream.Length / 2);
        Fails(model.Folder, "truncated");
        File.Delete(data);
        Fails(model.Folder, "missing");
    }

    [Fact]
    public async Task A_variant_that_is_not_there_is_told_with_those_that_are()
    {
        using var model = new TinyModel(DecoderLayout.Community);
        File.Copy(model.File, Path.Combine(Path.GetDirectoryName(model.File)!, "model_q4.onnx"));
        Fails(model.Folder, "model.onnx, model_q4.onnx", new EngineOptions { Variant = "fp16" });
        Fails(model.Folder, "without a path", new EngineOptions { Variant = "../../x" });
        await model.Load(new EngineOptions { Variant = "q4", Threads = 1 }).DisposeAsync();
    }

    [Fact]
    public void A_config_that_leaves_its_folder_or_is_no_json_is_refused()
    {
        using var model = new TinyModel();
        var config = Path.Combine(model.Folder, "genai_config.json");
        var text = File.ReadAllText(config);
        File.WriteAllText(config, text.Replace("\"model.onnx\"", "\"../model.onnx\"", StringComparison.Ordinal));
        Fails(model.Folder, "leaves the folder");
        File.WriteAllText(config, text[..^20]);
        Fails(model.Folder, "is not JSON");
        File.WriteAllText(config, "[]");
        Fails(model.Folder, "expected an object");
    }

    [Fact]
    public void Memory_for_less_than_one_context_is_refused()
    {
        using var model = new TinyModel();
        Fails(model.Folder, "one context of 256 tokens takes 131072 bytes", new EngineOptions { KeyValueBytes = 1000 });
        Fails(model.Folder, nameof(EngineOptions.Rows), new EngineOptions { Rows = 0 });
    }

    [Fact]
    public void Rows_share_half_the_machine_where_their_contexts_do_not_fit()
    {
        var options = new EngineOptions { Rows = 8 };
        Assert.Equal(8 * 64, LoadedDecoder.BlocksFor(options, 1024, 1000, memory: 1L << 40));
        Assert.Equal(125, LoadedDecoder.BlocksFor(options, 1024, 1000, memory: 4_000_000));
        var error = Assert.Throws<ModelLoadException>(() => LoadedDecoder.BlocksFor(options, 1024, 1000, memory: 2_000_000));
        Assert.Contains("1024000 bytes", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Several_end_tokens_are_all_taken()
    {
        using var model = new TinyModel();
        var config = Path.Combine(model.Folder, "genai_config.json");
        var text = File.ReadAllText(config);
        File.WriteAllText(config, text.Replace("\"eos_token_id\": 257", "\"eos_token_id\": [257, 259]", StringComparison.Ordinal));
        await using var engine = model.Load();
        Assert.Equal([257, 259], engine.EndTokens);
    }

    private static void FailsWithout(string file, string named)
    {
        using var model = new TinyModel();
        File.Delete(Path.Combine(model.Folder, file));
        Fails(model.Folder, named);
    }

    private static void Fails(string folder, string named, EngineOptions? options = null)
    {
        var error = Assert.Throws<ModelLoadException>(() =>
            LanguageModel.Load(folder, options ?? new EngineOptions { Threads = 1 }, TimeProvider.System));
        Assert.Contains(named, error.Message, StringComparison.Ordinal);
    }
}
