using System.Runtime.InteropServices;
using Cairn.Frameworks.Engine.Tensors;
using CsCheck;
using DataType = Cairn.Frameworks.Onnx.Proto.TensorProto.Types.DataType;

namespace Cairn.Frameworks.Tests.Tensors;

public sealed class Dynamic_batching
{
    private const string Batched = """
        max_batch_size: 16
        dynamic_batching { max_queue_delay_microseconds: 2000 }
        """;

    /// <summary>Callers of many shapes and sizes at once, some leaving: every answer is the one the caller gets alone.</summary>
    [Fact]
    public async Task Each_request_gets_exactly_its_own_answer()
    {
        await using var models = await Repository.OpenAsync(folder =>
        {
            OnnxModels.Double(DataType.Float, "n", "m").Place(folder, "batched", config: Batched);
            OnnxModels.Double(DataType.String, "n", "m").Place(folder, "ignored", config: "max_batch_size: 4");
        });
        var version = models.Find("batched");
        await Gen.Select(Gen.Int[1, 5], Gen.Int[1, 3], Gen.Int[0, 9]).Array[1, 60].SampleAsync(
            async requests =>
            {
                var calls = requests.Select((request, index) => AskAsync(version, request.Item1, request.Item2, index, leaves: request.Item3 == 0)).ToList();
                await Task.WhenAll(calls);
                return true;
            },
            iter: 40, threads: 1);
        var counts = version.Statistics.Snapshot();
        Assert.True(counts.Executions < counts.Success.Count, "requests shared executions");
        Assert.Equal(0, counts.Pending);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Trees_answer_the_same_in_a_batch_and_alone(bool prepares)
    {
        var trees = new TreeModels(trees: 50, depth: 5, features: 20, seed: 7, prepares);
        await using var models = await Repository.OpenAsync(folder => trees.Model.Place(folder, "trees", config: Batched));
        var version = models.Find("trees");
        var random = new Random(3);
        var rows = Enumerable.Range(0, 200).Select(_ => Enumerable.Range(0, 20).Select(_ => random.NextSingle()).ToArray()).ToList();
        rows[3][5] = prepares ? float.NaN : 0.5f;

        var answers = await Task.WhenAll(rows.Select(row => version.InferAsync([Floats("features", [1, 20], row)], [], 0, 0, CancellationToken.None)));

        for (var i = 0; i < rows.Count; i++)
            Assert.Equal(trees.Answer(rows[i]), MemoryMarshal.Cast<byte, float>(answers[i].Outputs![0].Data.Span)[0]);
        Assert.True(version.Statistics.Snapshot().Executions < 100);
    }

    [Fact]
    public async Task One_requests_bad_data_fails_it_alone()
    {
        await using var models = await Repository.OpenAsync(folder => OnnxModels.SquareTable().Place(folder, "squares", config: Batched));
        var version = models.Find("squares");

        var answers = await Task.WhenAll(new long[] { 3, 99, 5 }.Select(value =>
            version.InferAsync([new Tensor("x", TensorType.Int64, [1, 1], BitConverter.GetBytes(value))], [], 0, 0, CancellationToken.None)));

        Assert.Equal(9f, BitConverter.ToSingle(answers[0].Outputs![0].Data.Span));
        Assert.Equal(RefusalKind.Invalid, answers[1].Refusal!.Kind);
        Assert.Equal(25f, BitConverter.ToSingle(answers[2].Outputs![0].Data.Span));
        Assert.Equal((2UL, 1UL), (version.Statistics.Snapshot().Success.Count, version.Statistics.Snapshot().Fail.Count));
    }

    /// <summary>
    /// First dimensions of different names are no batch, so nothing is batched by itself. Where somebody asks for it all the same, the
    /// first
    /// execution shows that answers cannot be told apart, and each request is run alone.
    /// </summary>
    [Fact]
    public async Task A_model_without_a_batch_dimension_is_asked_one_by_one()
    {
        await using var models = await Repository.OpenAsync(folder =>
        {
            OnnxModels.TwoRowsOfEach().Place(folder, "found");
            OnnxModels.TwoRowsOfEach().Place(folder, "forced", config: Batched);
        });

        Assert.Equal(0, models.Find("found").Config.MaxBatchSize);
        foreach (var name in new[] { "found", "forced" })
        {
            var answers = await Task.WhenAll(Enumerable.Range(1, 8).Select(i =>
                models.Find(name).InferAsync([Floats("x", [1, 2, 3], [i, i, i, 3 * i, 3 * i, 3 * i])], [], 0, 0, CancellationToken.None)));
            for (var i = 1; i <= 8; i++)
            {
                Assert.Equal([2, 3], answers[i - 1].Outputs![0].Shape);
                Assert.Equal([i, i, i, 3f * i, 3 * i, 3 * i], MemoryMarshal.Cast<byte, float>(answers[i - 1].Outputs![0].Data.Span).ToArray());
            }
        }
    }

    [Fact]
    public async Task A_full_queue_refuses_and_a_timeout_ends_the_wait()
    {
        await using var models = await Repository.OpenAsync(folder => OnnxModels.Double(DataType.Float, "n", 1).Place(folder, "slow", config: """
            max_batch_size: 64
            dynamic_batching {
              max_queue_delay_microseconds: 60000000
              default_queue_policy { max_queue_size: 3 allow_timeout_override: true }
            }
            """));
        var version = models.Find("slow");
        using var leaves = new CancellationTokenSource();
        var waiting = Enumerable.Range(0, 3).Select(_ => version.InferAsync([Floats("x", [1, 1], [1])], [], 0, 0, leaves.Token)).ToList();

        var refused = await version.InferAsync([Floats("x", [1, 1], [1])], [], 0, 0, CancellationToken.None);
        await leaves.CancelAsync();
        var expired = await version.InferAsync([Floats("x", [1, 1], [1])], [], 0, 20_000, CancellationToken.None);

        Assert.Equal(RefusalKind.QueueFull, refused.Refusal!.Kind);
        Assert.Equal(RefusalKind.TimedOut, expired.Refusal!.Kind);
        foreach (var left in waiting)
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => left);
        Assert.Equal(0, version.Statistics.Snapshot().Pending);
    }

    private static async Task AskAsync(ModelVersion version, int rows, int columns, int salt, bool leaves)
    {
        float[] values = [.. Enumerable.Range(0, rows * columns).Select(i => (salt * 100f) + i)];
        using var cancellation = new CancellationTokenSource();
        var call = version.InferAsync([Floats("x", [rows, columns], values)], [], 0, 0, cancellation.Token);
        if (leaves)
            await cancellation.CancelAsync();
        try
        {
            var answer = await call;
            Assert.Equal([rows, columns], answer.Outputs![0].Shape);
            Assert.Equal(values.Select(value => 2 * value), MemoryMarshal.Cast<byte, float>(answer.Outputs[0].Data.Span).ToArray());
        }
        catch (OperationCanceledException)
        {
            Assert.True(leaves);
        }
    }

    private static Tensor Floats(string name, long[] shape, float[] values) =>
        new(name, TensorType.Float32, shape, MemoryMarshal.AsBytes(values.AsSpan()).ToArray());
}
