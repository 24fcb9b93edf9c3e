%% A supervisor of lamps, and the figures that are taken of it.
-module(otp_root).
-behaviour(supervisor).
-export([init/1, main/1]).

-define(NO_LIMIT, 100000000).

init({Strategy, Size, Tell}) ->
    Flags = #{strategy => Strategy, intensity => ?NO_LIMIT, period => 1},
    {ok, {Flags, [child(At, Tell) || At <- ids(Strategy, Size)]}}.

ids(simple_one_for_one, _) -> [lamp];
ids(_, Size) -> lists:seq(1, Size).

child(Id, Tell) -> #{id => Id, start => {otp_lamp, start_link, [Tell]}}.

up(Strategy, Size, Tell) ->
    {ok, Pid} = supervisor:start_link(?MODULE, {Strategy, Size, Tell}),
    Pid.

down(Root) ->
    unlink(Root),
    Monitor = monitor(process, Root),
    exit(Root, shutdown),
    receive {'DOWN', Monitor, process, Root, _} -> ok end.

pids(Root) -> [Pid || {_, Pid, _, _} <- supervisor:which_children(Root)].

main([Figure, Size]) ->
    logger:set_primary_config(level, none),
    N = list_to_integer(atom_to_list(Size)),
    Small = max(1, min(2000, N div 4)),
    [figure(Figure, Small) || Figure =/= bytes, _ <- [1, 2, 3]],
    io:format("~p~n", [figure(Figure, N)]),
    halt(0).

figure(events, N) ->
    Root = up(one_for_one, 1, none),
    [Lamp] = pids(Root),
    Seconds = seconds(fun() -> send(Lamp, N), gen_statem:call(Lamp, ask, infinity) end),
    down(Root),
    N / Seconds;
figure(spawn, N) ->
    Root = up(simple_one_for_one, 0, none),
    Seconds = seconds(fun() ->
        [{ok, _} = supervisor:start_child(Root, []) || _ <- lists:seq(1, N)]
    end),
    down(Root),
    N / Seconds;
figure(bytes, N) ->
    Before = settled_memory(),
    Root = up(one_for_one, N, none),
    Grown = settled_memory() - Before,
    down(Root),
    Grown / N;
figure(start, N) ->
    {Seconds, Root} = timed(fun() -> up(one_for_one, N, none) end),
    down(Root),
    Seconds;
figure(stop, N) ->
    Root = up(one_for_one, N, none),
    seconds(fun() -> down(Root) end);
figure(crash, N) ->
    Root = up(one_for_one, 1, self()),
    Times = [crash_once() || _ <- lists:seq(1, N)],
    flush(),
    down(Root),
    lists:nth((N + 1) div 2, lists:sort(Times)) * 1000000;
figure(storm, N) ->
    Root = up(one_for_one, N, self()),
    Lamps = collect(N, []),
    Seconds = seconds(fun() ->
        [exit(Lamp, kill) || Lamp <- Lamps],
        [gen_statem:call(Lamp, ask, infinity) || Lamp <- collect(N, [])]
    end),
    down(Root),
    Seconds;
figure(group, N) ->
    Root = up(one_for_all, N, self()),
    [Lamp | _] = collect(N, []),
    Seconds = seconds(fun() ->
        gen_statem:cast(Lamp, crash),
        [gen_statem:call(Next, ask, infinity) || Next <- collect(N, [])]
    end),
    down(Root),
    Seconds.

send(_, 0) -> ok;
send(Lamp, N) -> gen_statem:cast(Lamp, next), send(Lamp, N - 1).

crash_once() ->
    Lamp = receive {up, Pid} -> Pid end,
    seconds(fun() ->
        gen_statem:cast(Lamp, crash),
        Next = receive {up, NextPid} -> NextPid end,
        gen_statem:call(Next, ask, infinity),
        self() ! {up, Next}
    end).

collect(0, Pids) -> Pids;
collect(N, Pids) -> receive {up, Pid} -> collect(N - 1, [Pid | Pids]) end.

flush() -> receive {up, _} -> flush() after 0 -> ok end.

settled_memory() ->
    [garbage_collect(Pid) || Pid <- processes()],
    erlang:memory(total).

timed(Work) ->
    From = erlang:monotonic_time(),
    Result = Work(),
    Took = erlang:monotonic_time() - From,
    {Took / erlang:convert_time_unit(1, second, native), Result}.

seconds(Work) -> element(1, timed(Work)).
