from tests.fakes.bench import Bench
async def test_x(bench: Bench) -> None:
    job = await bench.submit()
    import time
    t=time.time()
    done = await bench.drive(job)
    print(time.time()-t)
    print(done, await bench.history(job.id), bench.provider.looks)
    assert 0
