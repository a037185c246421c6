using System.Diagnostics;
using System.Text.Json;

namespace Cairn.Frameworks.Tests.Training;

/// <summary>A model that examples/train-tiny-lm has just trained for a few steps with real PyTorch, and PyTorch to ask about it.</summary>
public sealed class TrainedModel : IAsyncLifetime
{
    // Enough for the logits to differ from a random model's by far.
    private const int Steps = 30;
    private const string Python = "/usr/bin/python3";
    private static readonly JsonSerializerOptions s_json = new(JsonSerializerDefaults.Web);

    private readonly string _folder = Directory.CreateTempSubdirectory("cairn-trained-").FullName;

    /// <summary>What a job would hand back as its output <c>model</c>.</summary>
    public string Folder => Path.Combine(_folder, "model");

    public async ValueTask InitializeAsync()
    {
        var (installed, _, why) = await RunAsync(Path.Combine(SourceTree.Root, "eng", "install-engines.sh"), ["torch"], "");
        if (installed != 0)
        {
            Assert.False(Environment.GetEnvironmentVariable("CI") == "true", why);
            Assert.Skip(why);
        }

        foreach (var file in Directory.EnumerateFiles(Path.Combine(SourceTree.Root, "examples", "train-tiny-lm"), "*.py"))
            File.Copy(file, Path.Combine(_folder, Path.GetFileName(file)));
        var (code, _, errors) = await RunAsync(Python, ["train.py"], "");
        Assert.True(code == 0, errors);
    }

    public ValueTask DisposeAsync()
    {
        Directory.Delete(_folder, recursive: true);
        return ValueTask.CompletedTask;
    }

    /// <summary>PyTorch's logits after each prompt, and what greedy decoding says next.</summary>
    public async Task<IReadOnlyList<TorchAnswer>> AskAsync(IReadOnlyList<int[]> prompts, int most)
    {
        var (code, answers, errors) = await RunAsync(Python, ["predict.py", "model", $"{most}"], JsonSerializer.Serialize(prompts));
        Assert.True(code == 0, errors);
        return JsonSerializer.Deserialize<TorchAnswer[]>(answers, s_json)!;
    }

    private async Task<(int Code, string Out, string Errors)> RunAsync(string program, string[] arguments, string input)
    {
        var start = new ProcessStartInfo(program, arguments)
        {
            WorkingDirectory = _folder, RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true,
        };
        start.Environment["STEPS"] = $"{Steps}";
        start.Environment["MASTER_ADDR"] = "127.0.0.1";
        // Port 0: rank 0 of a world of one is alone with its store.
        start.Environment["MASTER_PORT"] = "0";
        start.Environment["OMP_NUM_THREADS"] = start.Environment["OPENBLAS_NUM_THREADS"] = "1";
        using var process = Process.Start(start)!;
        var output = process.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
        var errors = process.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
        await process.StandardInput.WriteAsync(input);
        process.StandardInput.Close();
        await process.WaitForExitAsync(TestContext.Current.CancellationToken);
        return (process.ExitCode, await output, await errors);
    }
}

/// <summary>What PyTorch says of one prompt.</summary>
public sealed record TorchAnswer(float[] Logits, int[] Greedy);
