using System.Text.Json.Nodes;
using Cairn.Frameworks.Onnx.Decoders;

namespace Cairn.EndToEnd.Tests;

/// <summary>Folders that hold no sound model: a line that says what is wrong where, exit code 4, and no stack.</summary>
[Trait("speed", "slow")]
public sealed class Models_that_cannot_be_served : IDisposable
{
    private readonly TemporaryHome _home = new();
    private readonly string _folder = Path.Combine(Directory.CreateTempSubdirectory("cairn-e2e-").FullName, "tiny");

    [Fact]
    public async Task A_missing_folder() => await RefusedAsync("there is no folder", exitCode: 2);

    [Fact]
    public async Task An_empty_folder()
    {
        Directory.CreateDirectory(_folder);
        await RefusedAsync("tokenizer.json");
    }

    [Fact]
    public async Task A_corrupt_graph()
    {
        CairnEngine.WriteModel(_folder);
        var bytes = await File.ReadAllBytesAsync(InFolder("model.onnx"), TestContext.Current.CancellationToken);
        new Random(7).NextBytes(bytes.AsSpan(0, 4096));
        await File.WriteAllBytesAsync(InFolder("model.onnx"), bytes, TestContext.Current.CancellationToken);
        await RefusedAsync("model.onnx");
    }

    [Fact]
    public async Task Truncated_external_data()
    {
        CairnEngine.WriteModel(_folder);
        DecoderGraph.Write(InFolder("model.onnx"), DecoderShape.Tiny, DecoderLayout.Genai, DecoderPrecision.Float32,
            RandomWeights.Seeded(1), insideUpTo: 1024);
        using (var data = new FileStream(InFolder("model.onnx.data"), FileMode.Open))
            data.SetLength(data.Length / 2);
        await RefusedAsync("model.onnx.data");
    }

    [Fact]
    public async Task A_tokenizer_whose_merges_are_missing()
    {
        CairnEngine.WriteModel(_folder);
        EditTokenizer(json => json["model"]!.AsObject().Remove("merges"));
        await RefusedAsync("merges");
    }

    [Fact]
    public async Task A_tokenizer_that_is_no_JSON()
    {
        CairnEngine.WriteModel(_folder);
        await File.WriteAllTextAsync(InFolder("tokenizer.json"), "{", TestContext.Current.CancellationToken);
        await RefusedAsync("tokenizer.json");
    }

    [Fact]
    public async Task A_chat_template_that_cannot_be_read_is_named()
    {
        CairnEngine.WriteModel(_folder);
        await File.WriteAllTextAsync(InFolder("chat_template.jinja"), "{% for x in %}", TestContext.Current.CancellationToken);
        await RefusedAsync("Chat template, line 1");
    }

    private string InFolder(string name) => Path.Combine(_folder, name);

    private void EditTokenizer(Action<JsonNode> edit)
    {
        var json = JsonNode.Parse(File.ReadAllText(InFolder("tokenizer.json")))!;
        edit(json);
        File.WriteAllText(InFolder("tokenizer.json"), json.ToJsonString());
    }

    private async Task RefusedAsync(string names, int exitCode = 4)
    {
        var run = await _home.Cli.RunAsync("engine", _folder, "--port", "0", "--grpc-port", "-1");
        Assert.True(run.ExitCode == exitCode, $"{run.ExitCode}: {run.Error}");
        Assert.Empty(run.Out);
        Assert.Contains(names, run.Error, StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", run.Error, StringComparison.Ordinal);
        TestContext.Current.TestOutputHelper?.WriteLine(run.Error);
    }

    public void Dispose()
    {
        _home.Dispose();
        Directory.Delete(Path.GetDirectoryName(_folder)!, recursive: true);
    }
}
