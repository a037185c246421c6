using System.Diagnostics;
using System.Net.Http.Json;
using System.Text.Json;
using Cairn.Frameworks.Gguf;
using Cairn.Frameworks.Onnx.Decoders;

namespace Cairn.EndToEnd.Tests;

/// <summary><c>cairn serve</c> of what is no workload file: GGUF files with a real llama-server, and models of the catalogue.</summary>
[Trait("speed", "slow")]
public sealed class Engines_of_others
{
    [Fact]
    public async Task A_GGUF_file_and_a_folder_with_one_are_served_by_llama_cpp()
    {
        var programs = await LlamaCppAsync();
        await using var up = await CairnUp.StartAsync();
        var folder = WriteGguf(up);
        // Only the file itself travels.
        await File.WriteAllTextAsync(Path.Combine(folder, "unread.txt"), "x", TestContext.Current.CancellationToken);
        var path = $"PATH={programs}:/usr/bin:/bin";
        (await up.Cli.RunAsync("serve", Path.Combine(folder, "small.gguf"), "--env", path, "--context", "256", "--concurrency", "2")).Succeeded();
        (await up.Cli.RunAsync("serve", folder, "--engine", "llama.cpp", "--name", "second", "--env", path, "--context", "256")).Succeeded();
        Assert.Equal("ready", (await up.GetAsync("endpoints/small")).GetProperty("phase").GetString());

        using var client = up.NewClient();
        client.BaseAddress = new Uri(up.Address);
        foreach (var model in new[] { "small", "second" })
        {
            using var response = await client.PostAsJsonAsync("/v1/chat/completions", new
            {
                model, messages = new[] { new { role = "user", content = "Hello" } }, max_tokens = 6,
            }, TestContext.Current.CancellationToken);
            var answer = await response.Content.ReadFromJsonAsync<JsonElement>(TestContext.Current.CancellationToken);
            Assert.True(response.IsSuccessStatusCode, answer.ToString());
            Assert.Equal((model, "assistant"), (answer.GetProperty("model").GetString(), answer.GetProperty("choices")[0].GetProperty("message").GetProperty("role").GetString()));
            Assert.InRange(answer.GetProperty("usage").GetProperty("completion_tokens").GetInt32(), 1, 6);
        }
        using var files = await client.GetAsync("/endpoints/small/health", TestContext.Current.CancellationToken);
        Assert.True(files.IsSuccessStatusCode);
    }

    [Fact]
    public async Task A_folder_for_Cairns_own_engine_is_served_with_the_sequences_the_context_and_the_machines_that_are_asked_for()
    {
        using var alone = new TemporaryHome();
        var folder = Directory.CreateTempSubdirectory("cairn-e2e-");
        try
        {
            CairnEngine.WriteModel(folder.FullName);
            var wished = (await alone.Cli.RunAsync("serve", folder.FullName, "--name", "tiny", "--concurrency", "3", "--dry-run")).Succeeded();
            Assert.EndsWith("--grpc-port \"$GRPC_PORT\" --rows 3\n", wished.Out, StringComparison.Ordinal);
            var usual = (await alone.Cli.RunAsync("serve", folder.FullName, "--name", "tiny", "--dry-run")).Succeeded();
            Assert.EndsWith("--grpc-port \"$GRPC_PORT\"\n", usual.Out, StringComparison.Ordinal);
            Assert.DoesNotContain("interruptible", usual.Out, StringComparison.Ordinal);
            var shorter = (await alone.Cli.RunAsync("serve", folder.FullName, "--name", "tiny", "--context", "256", "--spot", "--dry-run")).Succeeded();
            Assert.EndsWith("--grpc-port \"$GRPC_PORT\" --context 256\n", shorter.Out, StringComparison.Ordinal);
            Assert.Contains("\nwhere:\n  interruptible: true\nworkdir: .\n", shorter.Out, StringComparison.Ordinal);
            var none = await alone.Cli.RunAsync("serve", folder.FullName, "--context", "1", "--dry-run");
            Assert.Equal(2, none.ExitCode);
            Assert.Contains("--context is 1; expected 2 to 16777216 tokens.", none.Error, StringComparison.Ordinal);
            foreach (var wrong in new[] { "0", "257" })
            {
                var refused = await alone.Cli.RunAsync("serve", folder.FullName, "--concurrency", wrong, "--dry-run");
                Assert.Equal(2, refused.ExitCode);
                Assert.Contains($"--concurrency is {wrong}; Cairn's own engine runs 1 to 256 sequences at once.", refused.Error, StringComparison.Ordinal);
            }
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    [Fact]
    public async Task A_model_that_no_node_holds_is_refused_with_every_nodes_reason_and_begins_nothing()
    {
        await using var up = await CairnUp.StartAsync();
        var refused = await up.Cli.RunAsync("serve", "llama-3.1-8b", "--context", "4096", "--concurrency", "4");
        Assert.Equal(4, refused.ExitCode);
        Assert.Contains("No enrolled node can run it; nothing was begun.", refused.Error, StringComparison.Ordinal);
        Assert.Contains("own/local/", refused.Error, StringComparison.Ordinal);
        Assert.Contains("accelerator", refused.Error, StringComparison.OrdinalIgnoreCase);
        Assert.Contains("per million output tokens", refused.Error, StringComparison.Ordinal);
        Assert.Equal(0, (await up.GetAsync("endpoints")).GetProperty("items").GetArrayLength());
    }

    [Fact]
    public async Task A_model_goes_to_a_node_that_holds_it_and_says_what_is_missing_there()
    {
        await using var up = await CairnUp.StartAsync("--simulate", "L4:2", "--price", "1.40");
        await up.GrantAsync(10);
        var served = (await up.Cli.RunAsync("serve", "Qwen/Qwen3-0.6B", "--name", "qwen", "--context", "2048", "--concurrency", "4", "--detach")).Succeeded();
        Assert.Contains("qwen3-0.6b by vLLM in bf16 on 1 × L4", served.Error, StringComparison.Ordinal);
        Assert.Contains("$0.70/h for a replica", served.Error, StringComparison.Ordinal);
        Assert.Contains("simulated: declared, and not there", served.Error, StringComparison.Ordinal);
        await Eventually.TrueAsync(async () => (await up.GetAsync("endpoints/qwen")).GetProperty("events").EnumerateArray()
            .Any(e => e.GetProperty("kind").GetString() == "replica_failed"), "its engine is not there");
        var job = (await up.GetAsync("jobs?phase=ended")).GetProperty("items").EnumerateArray().First(j => j.GetProperty("name").GetString()!.StartsWith("qwen-", StringComparison.Ordinal));
        Assert.Contains("vLLM is not on this node", await up.LogTextAsync(job.GetProperty("name").GetString()!), StringComparison.Ordinal);
        (await up.Cli.RunAsync("stop", "qwen")).Succeeded();
    }

    [Fact]
    public async Task A_dry_run_prints_a_workload_file_that_plans_and_serves_nothing()
    {
        using var alone = new TemporaryHome();
        var dry = (await alone.Cli.RunAsync(
            "serve", "meta-llama/Llama-3.3-70B-Instruct", "--engine", "sglang", "--gpu", "H100", "--slo", "ttft=1s,tpot=60ms", "--secret", "HF_TOKEN=hidden", "--dry-run")).Succeeded();
        Assert.Contains("exec python3 -m sglang.launch_server --model-path meta-llama/Llama-3.3-70B-Instruct --host 127.0.0.1 --port \"$PORT\" --served-model-name llama-3.3-70b", dry.Out, StringComparison.Ordinal);
        Assert.Contains("secrets: [HF_TOKEN]", dry.Out, StringComparison.Ordinal);
        Assert.DoesNotContain("hidden", dry.Out + dry.Error, StringComparison.Ordinal);
        var plan = (await alone.Cli.RunAsync("plan", alone.WriteFile("model.yaml", dry.Out), "--json")).Succeeded().Json;
        Assert.All(plan.GetProperty("candidates").EnumerateArray(), c => Assert.StartsWith("H100", c.GetProperty("offer").GetProperty("accelerator").GetString(), StringComparison.Ordinal));
    }

    [Fact]
    public async Task What_cannot_be_is_said_with_what_can()
    {
        using var alone = new TemporaryHome();
        var unknown = await alone.Cli.RunAsync("serve", "lama-3.1-8b");
        Assert.Equal(3, unknown.ExitCode);
        Assert.Contains("Did you mean llama-3.1-8b", unknown.Error, StringComparison.Ordinal);
        var large = await alone.Cli.RunAsync("serve", "kimi-k2", "--gpu", "T4", "--dry-run");
        Assert.Equal(4, large.ExitCode);
        Assert.Contains("kimi-k2 fits nowhere", large.Error, StringComparison.Ordinal);
        Assert.Contains("needs", large.Error, StringComparison.Ordinal);
        foreach (var (flags, said) in new (string[], string)[]
        {
            (["qwen3-32b", "--engine", "vlm"], "--engine is 'vlm'; expected cairn, vllm"),
            (["qwen3-32b", "--engine", "ollama"], "--weights"),
            (["qwen3-32b", "--engine", "tgi", "--precision", "mxfp4"], "loads qwen3-32b"),
            (["qwen3-32b", "--context", "1000000000"], "context"),
            (["qwen3-32b", "--slo", "ttft=soon"], "ttft=soon"),
        })
        {
            var wrong = await alone.Cli.RunAsync(["serve", .. flags, "--dry-run"]);
            Assert.True(wrong.ExitCode is 2 or 4, $"{string.Join(' ', flags)}: {wrong.ExitCode} {wrong.Error}");
            Assert.Contains(said, wrong.Error, StringComparison.Ordinal);
        }
    }

    private static string WriteGguf(CairnUp up)
    {
        var shape = DecoderShape.Tiny with { Vocabulary = 1000 };
        var weights = RandomWeights.Seeded(5);
        var made = Path.Combine(up.Folder, "made");
        DecoderFolder.Write(made, shape, weights: weights);
        var folder = Directory.CreateDirectory(Path.Combine(up.Folder, "gguf")).FullName;
        LlamaGguf.Write(Path.Combine(folder, "small.gguf"), shape, weights, GgufVocabulary.Read(made, shape.Vocabulary), GgufType.F32, TestContext.Current.CancellationToken);
        return folder;
    }

    private static async Task<string> LlamaCppAsync()
    {
        var start = new ProcessStartInfo(Path.Combine(CairnProgram.Root, "eng", "install-llama-cpp.sh")) { RedirectStandardOutput = true, RedirectStandardError = true };
        using var install = Process.Start(start)!;
        var (said, errors) = (install.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken), install.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken));
        await install.WaitForExitAsync(TestContext.Current.CancellationToken);
        Assert.SkipWhen(install.ExitCode != 0 && Environment.GetEnvironmentVariable("CI") != "true", $"llama.cpp cannot be installed here: {await errors}");
        Assert.True(install.ExitCode == 0, await errors);
        return (await said).Trim();
    }
}
