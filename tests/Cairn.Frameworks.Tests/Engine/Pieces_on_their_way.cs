using Cairn.Frameworks.Engine;

namespace Cairn.Frameworks.Tests.Engine;

public sealed class Pieces_on_their_way
{
    [Fact]
    public async Task Come_in_their_order_and_end_with_the_error_that_ended_them()
    {
        var pieces = new PieceQueue(8, inline: false);
        Assert.True(pieces.TryWrite(Piece("a")));
        Assert.True(pieces.TryWrite(Piece("b")));
        pieces.Complete(new EngineException("out of luck"));
        Assert.False(pieces.TryWrite(Piece("c")));

        Assert.True(await pieces.WaitAsync(CancellationToken.None));
        Assert.True(pieces.TryRead(out var piece));
        Assert.Equal("a", piece.Text);
        Assert.True(pieces.TryRead(out piece));
        Assert.Equal("b", piece.Text);
        Assert.False(pieces.TryRead(out _));
        var error = await Assert.ThrowsAsync<EngineException>(() => pieces.WaitAsync(CancellationToken.None).AsTask());
        Assert.Equal("out of luck", error.Message);
    }

    [Fact]
    public async Task Are_no_more_than_the_reader_may_lag_behind()
    {
        var pieces = new PieceQueue(2, inline: true);
        Assert.True(pieces.TryWrite(Piece("a")));
        Assert.True(pieces.TryWrite(Piece("b")));
        Assert.False(pieces.TryWrite(Piece("c")));
        Assert.True(await pieces.WaitAsync(CancellationToken.None));
        Assert.True(pieces.TryRead(out _));
        Assert.True(pieces.TryWrite(Piece("c")));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Run_a_brief_reader_before_the_write_returns_and_any_other_elsewhere(bool inline)
    {
        var pieces = new PieceQueue(2, inline);
        Assert.Equal(inline, await ReadsWithinAsync(pieces, () => Assert.True(pieces.TryWrite(Piece("a")))));
    }

    [Fact]
    public async Task Never_run_a_reader_by_the_last_piece_nor_by_the_end()
    {
        var pieces = new PieceQueue(2, inline: true);
        var last = Piece("") with { Finish = new GenerationFinish(FinishReason.Stop, 1, 0, 1) };
        Assert.False(await ReadsWithinAsync(pieces, () => Assert.True(pieces.TryWrite(last))));
        Assert.True(pieces.TryRead(out _));
        Assert.False(await ReadsWithinAsync(pieces, () => pieces.Complete(null)));
        Assert.False(await pieces.WaitAsync(CancellationToken.None));
    }

    [Fact]
    public async Task Leave_a_reader_whose_token_is_cancelled_at_once()
    {
        using var cancel = new CancellationTokenSource();
        await using var reader = new Generation(2).ReadAllAsync(cancel.Token).GetAsyncEnumerator(CancellationToken.None);
        var next = reader.MoveNextAsync().AsTask();
        Assert.False(next.IsCompleted);
        await cancel.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => next);
    }

    private static GenerationPiece Piece(string text) => new(text, [], null);

    // Whether a reader that waits went on while this thread wrote, by this thread.
    private static async Task<bool> ReadsWithinAsync(PieceQueue pieces, Action write)
    {
        var (writer, writing) = (Environment.CurrentManagedThreadId, true);
        var read = new TaskCompletionSource<bool>(TaskCreationOptions.RunContinuationsAsynchronously);
        var wait = pieces.WaitAsync(CancellationToken.None).GetAwaiter();
        Assert.False(wait.IsCompleted);
        wait.UnsafeOnCompleted(() =>
        {
            wait.GetResult();
            read.SetResult(Volatile.Read(ref writing) && Environment.CurrentManagedThreadId == writer);
        });
        write();
        Volatile.Write(ref writing, false);
        return await read.Task;
    }
}
