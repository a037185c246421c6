using Cairn.Fleet.Jobs;

namespace Cairn.Fleet.Tests.Jobs;

public sealed class What_memory_holds_of_jobs
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Is_whole_from_one_moment_on_for_who_looks_and_for_who_waits()
    {
        var board = new JobBoard();
        var waiting = board.FilledAsync(Token);
        Assert.Null(board.Content);
        Assert.False(waiting.IsCompleted);

        var (told, whenTold) = (0, (object?)null);
        board.Filled += () => (told, whenTold) = (told + 1, board.Content);
        board.Fill();
        await waiting;
        await board.FilledAsync(Token);
        Assert.NotNull(board.Content);
        Assert.Equal((1, board.Content), (told, whenTold));
    }

    [Fact]
    public async Task Is_another_after_every_reading_and_nothing_in_between()
    {
        var board = new JobBoard();
        board.Fill();
        var first = board.Content;
        Assert.Same(first, board.Content);

        board.Distrust();
        Assert.Null(board.Content);
        var waiting = board.FilledAsync(Token);
        board.Clear();
        Assert.Null(board.Content);
        Assert.False(waiting.IsCompleted);

        board.Fill();
        await waiting;
        Assert.NotNull(board.Content);
        Assert.NotSame(first, board.Content);
    }
}
