namespace Cairn.Contracts.Frameworks;

/// <summary>The words that a workload's <c>framework</c> may be.</summary>
public static class FrameworkNames
{
    private static readonly Dictionary<string, string> s_aliases = new(StringComparer.Ordinal)
    {
        ["torch"] = "pytorch",
        ["pytorch-ddp"] = "pytorch",
        ["tf"] = "tensorflow",
        ["openmpi"] = "mpi",
        ["hydra"] = "mpich",
    };

    /// <summary>Frameworks whose environment a node sets from ranks and addresses.</summary>
    public static IReadOnlyList<string> Training { get; } =
        ["pytorch", "pytorch-fsdp", "torchrun", "deepspeed", "accelerate", "tensorflow", "jax", "mpi", "mpich"];

    /// <summary>Names that are known and for which a node sets nothing up: setup and run do it.</summary>
    public static IReadOnlyList<string> Others { get; } =
        ["vllm", "tgi", "tensorrt-llm", "triton", "sglang", "llama-cpp", "ollama", "onnxruntime", "ray"];

    /// <summary>The canonical name of a lower-case word: itself where it is no other name of one.</summary>
    public static string Canonical(string word) => s_aliases.GetValueOrDefault(word, word);
}
