using Cairn.Contracts.Ids;
using Cairn.Serving.Gateway.Calls;

namespace Cairn.Serving.Tests.Gateway;

public sealed class A_line_of_waiting_requests
{
    private readonly EndpointActivity _line = new(new EndpointMeter(EndpointId.New(DateTimeOffset.UnixEpoch), TimeProvider.System));

    [Fact]
    public void Keeps_the_place_of_one_that_looks_in_vain()
    {
        var (first, second) = (_line.Join(2)!, _line.Join(2)!);
        Assert.Same(first, _line.Stay(first));
        _line.Freed();
        Assert.True(first.Value.Task.IsCompleted);
        Assert.False(second.Value.Task.IsCompleted);
    }

    [Fact]
    public void Lets_one_stay_first_whose_room_another_took_though_the_line_is_full_again()
    {
        var (first, second) = (_line.Join(2)!, _line.Join(2)!);
        _line.Freed();
        Assert.NotNull(_line.Join(2));
        Assert.Null(_line.Join(2));
        var again = _line.Stay(first);
        Assert.False(again.Value.Task.IsCompleted);
        _line.Freed();
        Assert.True(again.Value.Task.IsCompleted);
        Assert.False(second.Value.Task.IsCompleted);
    }
}
