using System.Text;
using System.Text.Json;
using Cairn.Frameworks.Fitting;
using Cairn.Frameworks.ModelCatalog;
using Cairn.Frameworks.Recipes.Serving;

namespace Cairn.Frameworks.Tests.Recipes;

public sealed class Serving_recipes
{
    private static readonly ServingStart s_full = new()
    {
        Model = "/models/qwen3-32b", Port = 8000, Name = "qwen", Precision = WeightPrecision.Bf16, Layout = new Layout(4, 2),
        Context = 32768, Sequences = 64, MemoryShare = 0.9, Threads = 8,
    };

    public static TheoryData<string, string> Golden => new()
    {
        {
            "cairn", "cairn engine /models/qwen3-32b --host 127.0.0.1 --port 8000 --grpc-port 8001 --name qwen --rows 64 --context 32768 --threads 8"
        },
        {
            "vllm",
            "vllm serve /models/qwen3-32b --host 127.0.0.1 --port 8000 --served-model-name qwen --tensor-parallel-size 4 --pipeline-parallel-size 2 "
            + "--max-model-len 32768 --max-num-seqs 64 --gpu-memory-utilization 0.9"
        },
        {
            "sglang",
            "python3 -m sglang.launch_server --model-path /models/qwen3-32b --host 127.0.0.1 --port 8000 --served-model-name qwen --tp-size 4 "
            + "--pp-size 2 --context-length 32768 --max-running-requests 64 --mem-fraction-static 0.9 --enable-metrics"
        },
        {
            "tgi",
            "text-generation-launcher --model-id /models/qwen3-32b --hostname 127.0.0.1 --port 8000 --num-shard 4 --max-total-tokens 32768 "
            + "--max-concurrent-requests 64 --cuda-memory-fraction 0.9"
        },
        {
            "tensorrt-llm",
            "trtllm-serve /models/qwen3-32b --host 127.0.0.1 --port 8000 --tp_size 4 --pp_size 2 --max_seq_len 32768 --max_batch_size 64 "
            + "--kv_cache_free_gpu_memory_fraction 0.9"
        },
        {
            "triton",
            "tritonserver --model-repository=/models/qwen3-32b --http-address=127.0.0.1 --http-port=8000 --grpc-address=127.0.0.1 --grpc-port=8001 "
            + "--metrics-address=127.0.0.1 --metrics-port=8002 --exit-timeout-secs=120"
        },
        {
            "llama.cpp",
            "llama-server --model /models/qwen3-32b --host 127.0.0.1 --port 8000 --alias qwen --ctx-size 2097152 --parallel 64 --threads 8 "
            + "--n-gpu-layers 999 --metrics"
        },
        { "ollama", "ollama serve" },
    };

    [Theory, MemberData(nameof(Golden))]
    public void A_recipe_is_rendered_word_for_word(string name, string expected)
    {
        var recipe = ServingRecipes.Find(name)!;
        var start = recipe.MostAccelerators == 0 ? s_full with { UsesAccelerators = false } : s_full;
        Assert.Equal(expected, string.Join(' ', Run(recipe, start).Arguments));
    }

    [Fact]
    public void Every_engine_of_the_list_has_a_recipe_and_a_rendering() =>
        Assert.Equal(ServingRecipes.All.Select(recipe => recipe.Name).Order(), Golden.Select(row => row.Data.Item1).Order());

    [Fact]
    public void What_is_not_said_is_left_to_the_engine()
    {
        var bare = new ServingStart { Model = "m", Port = 9000 };
        Assert.Equal("vllm serve m --host 127.0.0.1 --port 9000", string.Join(' ', Run(ServingRecipes.Vllm, bare).Arguments));
        Assert.Equal(["OLLAMA_HOST", "OLLAMA_KEEP_ALIVE", "OLLAMA_MAX_LOADED_MODELS"], Run(ServingRecipes.Ollama, bare).Environment.Keys.Order());
        Assert.Equal("127.0.0.1:9000", Run(ServingRecipes.Ollama, bare).Environment["OLLAMA_HOST"]);
    }

    [Fact]
    public void Llama_cpp_divides_its_context_among_its_slots_and_keeps_layers_off_a_missing_card()
    {
        var command = Run(
            ServingRecipes.LlamaCpp,
            new ServingStart
            {
                Model = "small.gguf", Port = 8080, Precision = WeightPrecision.Int4, UsesAccelerators = false, Context = 1024, Sequences = 8, Threads = 2,
            });
        Assert.Equal(
            "llama-server --model small.gguf --host 127.0.0.1 --port 8080 --ctx-size 8192 --parallel 8 --threads 2 --n-gpu-layers 0 --metrics",
            string.Join(' ', command.Arguments));
        Assert.Equal("http://127.0.0.1:8080/health", command.ReadyUrl.AbsoluteUri);
        Assert.Equal("http://127.0.0.1:8080/metrics", command.MetricsUrl!.AbsoluteUri);
    }

    [Fact]
    public void Quantisation_is_asked_for_only_where_the_files_are_not_in_it_yet()
    {
        var fp8 = new ServingStart { Model = "m", Port = 9000, Precision = WeightPrecision.Fp8, KvPrecision = KvPrecision.Fp8 };
        Assert.EndsWith(" --kv-cache-dtype fp8", string.Join(' ', Run(ServingRecipes.Vllm, fp8).Arguments), StringComparison.Ordinal);
        Assert.DoesNotContain("--quantization", Run(ServingRecipes.Vllm, fp8).Arguments);
        Assert.Contains("--quantization", Run(ServingRecipes.Vllm, fp8 with { IsPublishedSo = false }).Arguments);
    }

    [Fact]
    public void What_an_engine_cannot_do_is_refused_with_every_reason()
    {
        var refused = Assert.IsType<ServingRendering.Refused>(ServingRecipes.Cairn.Render(new ServingStart
        {
            Model = "-rf", Port = 0, Precision = WeightPrecision.Mxfp4, KvPrecision = KvPrecision.Fp8, Layout = new Layout(8), Sequences = 0, Name = "",
        }));
        Assert.Equal(7, refused.Problems.Count);
        Assert.Contains(refused.Problems, problem => problem == "Cairn's engine serves no mxfp4 weights; it serves fp32, bf16, int8, int4.");
        Assert.IsType<ServingRendering.Refused>(ServingRecipes.Vllm.Render(new ServingStart { Model = "m", Port = 1, UsesAccelerators = false }));
        Assert.IsType<ServingRendering.Refused>(ServingRecipes.Triton.Render(new ServingStart { Model = "m", Port = 65_534 }));
    }

    [Fact]
    public void A_word_with_a_space_or_a_quote_stays_one_argument()
    {
        var command = Run(ServingRecipes.LlamaCpp, new ServingStart { Model = "/models/my \"best\" $HOME model.gguf", Port = 8080, Name = "a b" });
        Assert.Contains("/models/my \"best\" $HOME model.gguf", command.Arguments);
        Assert.Contains("a b", command.Arguments);
    }

    [Fact]
    public void A_fit_can_be_started()
    {
        var need = new FitNeed { InputTokens = 1000, OutputTokens = 500, Concurrency = 16 };
        var fit = Assert.IsType<FitAnswer.Fits>(ServingFit.Of(OpenModels.Find("llama-3.3-70b")!, need, new ServingMachine(Fitting.Cards.H100, 8)));
        var start = ServingStart.From("meta-llama/Llama-3.3-70B-Instruct", 8000, need, fit);
        Assert.Equal(
            $"vllm serve meta-llama/Llama-3.3-70B-Instruct --host 127.0.0.1 --port 8000 --tensor-parallel-size {fit.Layout.TensorParallel} "
            + "--max-model-len 1500 --max-num-seqs 16 --gpu-memory-utilization 0.9",
            string.Join(' ', Run(ServingRecipes.Vllm, start).Arguments));
    }

    [Fact]
    public void Every_recipe_says_how_it_is_watched_and_ended()
    {
        Assert.All(ServingRecipes.All, recipe =>
        {
            Assert.StartsWith("/", recipe.Ready.Path, StringComparison.Ordinal);
            Assert.True(recipe.Metrics is null || recipe.Metrics.Path.StartsWith('/'));
            Assert.Equal("SIGTERM", recipe.Drain.Signal);
            Assert.InRange(recipe.Drain.GraceSeconds, 1, 600);
            Assert.NotEmpty(recipe.Apis);
            Assert.NotEmpty(recipe.Documentation);
        });
        Assert.Equal("http://127.0.0.1:8002/metrics", Run(ServingRecipes.Triton, s_full).MetricsUrl!.AbsoluteUri);
        Assert.Null(Run(ServingRecipes.Ollama, s_full).MetricsUrl);
    }

    [Fact]
    public void Every_recipe_has_a_page_that_shows_its_command_and_its_metrics_and_says_what_has_been_run()
    {
        Assert.All(ServingRecipes.All, recipe =>
        {
            var page = File.ReadAllText(Path.Combine(Root(), "docs", "recipes", recipe.Name + ".md"));
            var start = s_full with
            {
                Model = "MODEL", Name = "NAME", Context = 8192, Sequences = 16, Layout = new Layout(2, 2), UsesAccelerators = recipe.MostAccelerators > 0,
            };
            var flat = string.Join(' ', page.Replace("\\\n", "", StringComparison.Ordinal).Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries));
            Assert.Contains(string.Join(' ', Run(recipe, start).Arguments), flat, StringComparison.Ordinal);
            Assert.Contains("## What has been run", page, StringComparison.Ordinal);
            foreach (var metric in new[] { recipe.Metrics?.Running, recipe.Metrics?.Waiting, recipe.Metrics?.KvUsage, recipe.Metrics?.TimeToFirstToken })
                Assert.Contains(metric ?? "", page, StringComparison.Ordinal);
        });
    }

    [Theory]
    [InlineData("\"title\": \"X\"", "\"title\": \"X\", \"colour\": \"red\"")]
    [InlineData("{model}", "{modle}")]
    [InlineData("\"bf16\": []", "\"bf17\": []")]
    [InlineData("\"port_offset\": 1", "\"port_offset\": \"one\"")]
    public void A_wrong_recipe_is_no_recipe(string right, string wrong)
    {
        const string Recipe = """
            [{"name": "x", "title": "X", "documentation": "d", "command": ["x", "{model}"], "arguments": [], "weights": {"bf16": []}, "kv": {"bf16": []},
              "ready": {"path": "/", "status": 200}, "metrics": {"path": "/m", "port_offset": 1},
              "drain": {"signal": "SIGTERM", "finishes_requests": true, "grace_seconds": 5}, "apis": ["openai"], "devices": ["cpu"], "most_accelerators": 0}]
            """;
        Assert.Single(ServingRecipes.Read(Stream(Recipe)));
        Assert.Throws<JsonException>(() => ServingRecipes.Read(Stream(Recipe.Replace(right, wrong, StringComparison.Ordinal))));
    }

    private static string Root()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(folder.FullName, "Cairn.slnx")))
            folder = folder.Parent ?? throw new DirectoryNotFoundException("No Cairn.slnx above the tests.");
        return folder.FullName;
    }

    private static MemoryStream Stream(string text) => new(Encoding.UTF8.GetBytes(text));

    private static ServingCommand Run(ServingRecipe recipe, ServingStart start) => Assert.IsType<ServingRendering.Run>(recipe.Render(start)).Command;
}
