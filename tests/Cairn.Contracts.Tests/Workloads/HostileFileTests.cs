using System.Diagnostics;
using System.Text;
using Cairn.Contracts.Workloads;
using CsCheck;

namespace Cairn.Contracts.Tests.Workloads;

/// <summary>Whatever the bytes are: a result in a moment, errors with places inside the file, and a file exactly when there are none.</summary>
public sealed class HostileFileTests(ITestOutputHelper output)
{
    private static readonly string[] s_seeds =
    [
        """
        name: train
        resources: {accelerators: "H100:8", cpus: 8+, memory: 64GB..128GB}
        where: {latency: {max: 50ms, from: [Frankfurt]}, regions: [us-*]}
        money: {budget: $100, deadline: 6h}
        inputs: [{name: data, size: 5GB, place: s3://a/b}]
        env: &env {A: 1, B: null}
        labels: *env
        run: |
          echo hi
        """,
        """
        num_nodes: 2
        resources:
          accelerators: {H100:1, A100-80GB:1}
          any_of:
            - infra: aws/us-east-1
            - infra: k8s/my-ctx
          job_recovery: {strategy: FAILOVER, max_restarts_on_errors: 3}
        envs: {A: b}
        service: {readiness_probe: /v1, replica_policy: {min_replicas: 1, max_replicas: 4}}
        run: x
        """,
        """
        type: service
        port: 8000
        resources: {gpu: "nvidia:A100,H100:40GB..80GB:1..4", memory: 64GB.., shm_size: 24GB}
        replicas: 0..4
        env: [A, B=2]
        commands: [a, "b"]
        """,
        """
        name: p
        x-base: &base {run: x, resources: {cpus: 4}}
        steps:
          a: {<<: *base, outputs: [{name: m, size: 1GB}]}
          b: {<<: *base, needs: [a], inputs: [{name: m, step: a}]}
        """,
    ];

    private static readonly Gen<string> s_fragment = Gen.Int[0, 27].Select(index => new[]
    {
        ": ", "\n", "  ", "- ", "{", "}", "[", "]", "&a ", "*a", "<<: *a", "'", "\"", "|\n", ">", "#", "!x ", "\t", "---\n", "null", "..", "+", "-1", "NaN", "é", "\0", "?", ",",
    }[index]);

    /// <summary>A valid file with a few pieces cut out, doubled, moved or put in.</summary>
    private static readonly Gen<string> s_mutated = Gen.Select(
        Gen.Int[0, s_seeds.Length - 1], Gen.Select(Gen.Int[0, 3], Gen.Double[0, 1], Gen.Int[0, 30], s_fragment).Array[1, 5], (seed, edits) =>
        {
            var text = s_seeds[seed];
            foreach (var (kind, where, length, fragment) in edits)
            {
                var at = (int)(where * text.Length);
                var end = Math.Min(text.Length, at + length);
                text = kind switch
                {
                    0 => text[..at] + text[end..],
                    1 => text[..end] + text[at..],
                    2 => text[..at] + fragment + text[at..],
                    _ => text[end..] + text[..end],
                };
            }

            return text;
        });

    private static readonly string[] s_words =
    [
        "name", "run", "resources", "accelerators", "cpus", "memory", "any_of", "ordered", "where", "regions", "latency", "max", "from", "at", "money", "budget",
        "inputs", "outputs", "size", "path", "place", "step", "env", "secrets", "service", "port", "replicas", "steps", "needs", "retries", "checkpoints", "type",
        "num_nodes", "envs", "infra", "use_spot", "job_recovery", "gpu", "retry", "scaling", "probes", "readiness_probe", "replica_policy", "x-a", "zzz", "labels",
    ];

    private static readonly Gen<string> s_key = Gen.Int[0, s_words.Length - 1].Select(index => s_words[index]);

    private static readonly Gen<string> s_leaf = Gen.Int[0, 25].Select(index => new[]
    {
        "null", "1", "-1", "1e309", ".nan", "H100:8", "\"\"", "24GB..80GB", "..", "+", "8+", "\"nvidia:A100,H100:40GB:1..4\"", "$5", "6h", "99999999999999999999", "true", "a b", "task",
        "service", "Frankfurt", "\"50,8\"", "../x", "\"${{ env.X }}\"", "aws/us-east-1", "\"\\0\"", "*a",
    }[index]);

    /// <summary>Trees of known and unknown words in which anything may stand anywhere.</summary>
    private static readonly Gen<string> s_tree = Gen.Recursive<string>((depth, child) => depth > 5
        ? s_leaf
        : Gen.Frequency(
            (2, s_leaf),
            (1, child.Array[0, 4].Select(items => $"[{string.Join(", ", items)}]")),
            (3, Gen.Select(s_key, child).Array[0, 5].Select(pairs => $"{{{string.Join(", ", pairs.Select(pair => $"{pair.Item1}: {pair.Item2}"))}}}"))));

    private static readonly Gen<byte[]> s_bytes = Gen.OneOf(Gen.Byte.Array[0, 300], Gen.Char["\0\t\n\r -:?[]{}#&*!|>'\"%@`,.~<=a1é"].Array[0, 120].Select(chars => Encoding.UTF8.GetBytes(chars)));

    [Fact]
    public void Mutated_files_give_a_file_or_errors_with_places() => s_mutated.Sample(text => Check(Encoding.UTF8.GetBytes(text)), iter: 2000);

    [Fact]
    public void Random_bytes_give_a_file_or_errors_with_places() => s_bytes.Sample(Check, iter: 2000);

    [Fact]
    public void Random_trees_give_a_file_or_errors_with_places() => s_tree.Sample(text => Check(Encoding.UTF8.GetBytes(text)), iter: 2000);

    [Fact]
    public void Of_mutated_files_most_are_malformed_so_that_the_properties_say_something()
    {
        var malformed = 0;
        s_mutated.Sample(text => { if (WorkloadParser.Parse(text, "x.yaml").Errors.Count > 0) Interlocked.Increment(ref malformed); }, iter: 1000);
        output.WriteLine($"{malformed} of 1000 mutated files are malformed");
        Assert.InRange(malformed, 500, 999);
    }

    public static readonly TheoryData<string, string, string> Bombs = new()
    {
        { "an exploding alias", Laughs(), "once aliases are written out" },
        { "an exploding merge", "a: &a {k: [1,1,1,1,1,1,1,1,1]}\n" + string.Concat(Enumerable.Range(1, 40).Select(i => $"x-{i}: &m{i} {{p: *{(i == 1 ? "a" : $"m{i - 1}")}, q: *{(i == 1 ? "a" : $"m{i - 1}")}}}\n")), "once aliases are written out" },
        { "deep lists", new string('[', 100_000), "nested deeper than 32 levels" },
        { "deep mappings", string.Concat(Enumerable.Range(0, 5000).Select(i => new string(' ', i % 900) + "a:\n")), "" },
        { "deep flow mappings", string.Concat(Enumerable.Repeat("{a: ", 100_000)), "nested deeper than 32 levels" },
        { "many values", "labels: {" + string.Join(", ", Enumerable.Range(0, 60_000).Select(i => $"k{i}: v")) + "}", "more than 50,000 values" },
        { "many errors", string.Concat(Enumerable.Range(0, 20_000).Select(i => $"k{i}: v\n")), "more errors" },
        { "many documents", string.Concat(Enumerable.Repeat("--- {run: x}\n", 20_000)), "documents are more than 1,000" },
        { "many steps in a ring", "steps:\n" + string.Concat(Enumerable.Range(0, 1000).Select(i => $"  s{i}: {{run: x, needs: [s{(i + 1) % 1000}]}}\n")), "steps need each other: s0 → s1" },
        { "too many steps", "steps:\n" + string.Concat(Enumerable.Range(0, 1001).Select(i => $"  s{i}: {{run: x}}\n")), "1,001 steps are more than 1,000" },
        { "a file over a megabyte", "run: " + new string('x', 1_000_000), "larger than 1 MB" },
        { "a megabyte of one plain word as key", new string('x', 999_990) + ": 1", "" },
        { "a megabyte of quotes", new string('"', 999_999), "" },
        { "a megabyte of colons", string.Concat(Enumerable.Repeat(": ", 499_999)), "" },
        { "a megabyte of dashes", string.Concat(Enumerable.Repeat("- ", 499_999)), "" },
        { "a megabyte of question marks", string.Concat(Enumerable.Repeat("? ", 499_999)), "" },
        { "a megabyte of anchors", string.Concat(Enumerable.Repeat("&a ", 333_333)), "" },
        { "a megabyte of line breaks in quotes", "run: \"" + new string('\n', 999_900) + "\"\nx: y", "" },
        { "a megabyte of commas", "[" + new string(',', 999_900), "" },
        { "a megabyte of comments", string.Concat(Enumerable.Repeat("#\n", 499_999)), "the file is empty" },
        { "a megabyte of tabs", "a:\n" + new string('\t', 999_900), "" },
        { "a megabyte of directives", string.Concat(Enumerable.Repeat("%A b\n", 199_999)), "" },
        { "a megabyte of block indicators", string.Concat(Enumerable.Repeat("|\n", 499_999)), "" },
        { "many needs of nothing", "steps:\n" + string.Concat(Enumerable.Range(0, 900).Select(i => $"  s{i}: {{run: x, needs: [{string.Join(", ", Enumerable.Range(0, 40).Select(n => $"nothing-{n}"))}]}}\n")), "no step is named" },
        { "many wrong places", $"run: x\nwhere: {{latency: {{max: 5ms, from: [{string.Join(", ", Enumerable.Range(0, 40_000).Select(n => $"Nowhere-{n}"))}]}}}}", "more than 64" },
        { "many accelerators", $"run: x\nresources: {{accelerators: [{string.Join(", ", Enumerable.Range(0, 40_000).Select(n => $"HX{n}"))}]}}", "more than 64" },
        { "a large set of accelerators", $"run: x\nresources: {{accelerators: {{{string.Join(", ", Enumerable.Range(0, 20_000).Select(n => $"HX{n}: 1"))}}}}}", "more than 64" },
        { "many alternatives", $"run: x\nresources: {{any_of: [{string.Join(", ", Enumerable.Range(0, 15_000).Select(n => "{cpus: 1}"))}]}}", "more than 64" },
        { "many regions", $"run: x\nwhere: {{regions: [{string.Join(", ", Enumerable.Range(0, 40_000).Select(n => $"r{n}"))}]}}", "more than 1,000" },
        { "many wrong words", $"run: x\nwhere: {{deployment_models: [{string.Join(", ", Enumerable.Range(0, 1000).Select(n => $"hyperscalar{n}"))}]}}", "expected one of" },
        { "long accelerators", "run: x\nresources: {accelerators: \"" + new string(':', 500_000) + "\"}", "accelerators such as" },
    };

    [Theory]
    [MemberData(nameof(Bombs))]
    public void A_file_made_to_explode_is_refused_at_once(string what, string text, string part)
    {
        var watch = Stopwatch.StartNew();
        var result = WorkloadParser.Parse(Encoding.UTF8.GetBytes(text), "bomb.yaml");
        var line = $"{what}: {watch.ElapsedMilliseconds} ms, {result.Errors[0]}";
        output.WriteLine(line[..Math.Min(200, line.Length)]);
        Assert.Null(result.File);
        Assert.Contains(result.Errors, error => error.Message.Contains(part, StringComparison.Ordinal));
        Assert.True(watch.Elapsed < TimeSpan.FromMinutes(5), $"{what} took {watch.Elapsed}");
    }

    [Fact]
    public void A_megabyte_of_script_is_a_good_file()
    {
        var text = "run: |\n" + string.Concat(Enumerable.Repeat("  echo a line of a long script\n", 32_000));
        Assert.NotNull(WorkloadParser.Parse(text, "long.yaml").File);
    }

    private static void Check(byte[] bytes)
    {
        var result = WorkloadParser.Parse(bytes, "x.yaml");
        Assert.Equal(result.Errors.Count == 0, result.File is not null);
        var lines = Encoding.UTF8.GetString(bytes).Replace("\r\n", "\n").Split(['\n', '\r', '\u0085', '\u2028', '\u2029']);
        Assert.All(result.Errors.Concat(result.Warnings), found =>
        {
            Assert.InRange(found.Line, 1, lines.Length + 1);
            if (found.Code != DiagnosticCodes.Encoding)
                Assert.InRange(found.Column, 1, (found.Line <= lines.Length ? lines[found.Line - 1].Length : 0) + 3);
            Assert.NotEmpty(found.Code);
            Assert.DoesNotContain(found.Message, char.IsControl);
        });
        if (result.File is { } file)
            Assert.Empty(WorkloadParser.Parse(WorkloadWriter.ToYaml(file), "x.yaml").Errors);
    }

    private static string Laughs()
    {
        var text = new StringBuilder("x-0: &a0 [lol, lol, lol, lol, lol, lol, lol, lol, lol, lol]\n");
        for (var i = 1; i < 10; i++)
            text.Append($"x-{i}: &a{i} [{string.Join(", ", Enumerable.Repeat($"*a{i - 1}", 10))}]\n");
        return text.Append("run: x\n").ToString();
    }
}
